package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Lines as containerd 1.6 and kubelet 1.33 wrote them.
const podJournal = `time="2026-11-23T13:26:13Z" level=info msg="CreateContainer within sandbox \"d3\" for &ContainerMetadata{Name:etcd,Attempt:0,} returns container id \"f6151749b0146b88985ca81dea334e9c4e2d17d72357ae758a00330578838dc6\""
time="2026-11-23T13:26:13Z" level=info msg="StartContainer for \"f6151749b0146b88985ca81dea334e9c4e2d17d72357ae758a00330578838dc6\""
time="2026-11-23T13:26:13Z" level=info msg="StartContainer for \"f6151749b0146b88985ca81dea334e9c4e2d17d72357ae758a00330578838dc6\" returns successfully"
time="2026-11-23T13:26:14Z" level=info msg="CreateContainer within sandbox \"34\" for &ContainerMetadata{Name:api,Attempt:2,} returns container id \"ada8b462f8aef4a1d31397d6e7fc52a1fab68e58a146c2672ede6c68d34772ae\""
time="2026-11-23T13:26:14Z" level=info msg="StartContainer for \"ada8b462f8aef4a1d31397d6e7fc52a1fab68e58a146c2672ede6c68d34772ae\" returns successfully"
E1123 13:26:16.436926      98 pod_workers.go:1301] "Error syncing pod, skipping" err="failed to \"StartContainer\" for \"api\" with CrashLoopBackOff: \"back-off 10s restarting failed container=api pod=master-api-master-0.example.com_kube-system(old)\"" pod="kube-system/master-api-master-0.example.com" podUID="old"
E1123 13:26:17.436926      98 pod_workers.go:1301] "Error syncing pod, skipping" err="failed to \"StartContainer\" for \"api\" with CrashLoopBackOff: \"back-off 10s restarting failed container=api pod=master-api-master-0.example.com_kube-system(new)\"" pod="kube-system/master-api-master-0.example.com" podUID="new"
I1123 13:26:18.436926      98 kuberuntime_manager.go:1] "Message for Container of pod" containerName="etcd" pod="kube-system/master-etcd-master-0.example.com" containerMessage="Container etcd failed liveness probe, will be restarted"
`

func TestPodRecords(t *testing.T) {
	answer := `{"items": [
	  {"metadata": {"name": "master-etcd-master-0.example.com", "annotations": {"kubernetes.io/config.hash": "u1"}},
	   "status": {"containerStatuses": [{"name": "etcd", "restartCount": 3, "state": {"running": {"startedAt": "x"}}}]}},
	  {"metadata": {"name": "master-api-master-0.example.com", "annotations": {"kubernetes.io/config.hash": "new"}},
	   "status": {"containerStatuses": [{"name": "api", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}}]}`
	got, err := podRecords(Host{Name: "master-0.example.com"}, []byte(answer), podJournal)
	if err != nil {
		t.Fatal(err)
	}
	want := []podRecord{
		{Host: "master-0", Pod: "master-etcd", UID: "u1", Container: "etcd", State: "running", Restarts: 3, podEvents: podEvents{Starts: 1, Kills: 1}},
		{Host: "master-0", Pod: "master-api", UID: "new", Container: "api", State: "CrashLoopBackOff", podEvents: podEvents{Starts: 1, BackOffs: 2, BackOff: 1}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(podRecord{})); diff != "" {
		t.Error(diff)
	}
}

func TestComplaints(t *testing.T) {
	good := podRecord{Container: "etcd", State: "running", podEvents: podEvents{Starts: 2}}
	tests := []struct {
		name   string
		change func(*podRecord)
		starts int
		want   []string
	}{
		{"as expected", func(*podRecord) {}, 2, nil},
		{"starts not looked at", func(*podRecord) {}, -1, nil},
		{"too many starts", func(*podRecord) {}, 1, []string{"etcd was started 2 times, expected 1"}},
		{"held back", func(r *podRecord) { r.State, r.BackOff = "CrashLoopBackOff", 3 }, 2, []string{"etcd is CrashLoopBackOff", "CrashLoopBackOff 3 times"}},
		{"of an earlier manifest", func(r *podRecord) { r.BackOffs = 3 }, 2, nil},
		{"killed", func(r *podRecord) { r.Kills = 1 }, 2, []string{"its probe had etcd killed 1 times"}},
	}
	for _, tt := range tests {
		r := good
		tt.change(&r)
		if diff := cmp.Diff(tt.want, r.complaints(tt.starts)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}
