package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Lines as containerd 1.6 and kubelet 1.33 wrote them; the long names of
// containers and sandboxes are put in by journal.
const podLines = `time="2026-11-23T13:35:28Z" level=info msg="RunPodSandbox for &PodSandboxMetadata{Name:master-etcd-master-0.example.com,Uid:u1,Namespace:kube-system,Attempt:0,} returns sandbox id \"SANDBOX1\""
time="2026-11-23T13:35:28Z" level=info msg="StartContainer for \"SANDBOX1\" returns successfully"
time="2026-11-23T13:35:28Z" level=info msg="CreateContainer within sandbox \"SANDBOX1\" for &ContainerMetadata{Name:etcd,Attempt:0,} returns container id \"ETCD\""
time="2026-11-23T13:35:28Z" level=info msg="StartContainer for \"ETCD\""
time="2026-11-23T13:35:28Z" level=info msg="StartContainer for \"ETCD\" returns successfully"
time="2026-11-23T13:35:28Z" level=info msg="RunPodSandbox for &PodSandboxMetadata{Name:once-master-0.example.com,Uid:u2,Namespace:kube-system,Attempt:0,} returns sandbox id \"SANDBOX2\""
time="2026-11-23T13:35:29Z" level=info msg="CreateContainer within sandbox \"SANDBOX2\" for &ContainerMetadata{Name:etcd,Attempt:2,} returns container id \"ONCE\""
time="2026-11-23T13:35:29Z" level=info msg="StartContainer for \"ONCE\" returns successfully"
E1123 13:35:36.436926      98 pod_workers.go:1301] "Error syncing pod, skipping" err="failed to \"StartContainer\" for \"api\" with CrashLoopBackOff: \"back-off 10s restarting failed container=api pod=master-api-master-0.example.com_kube-system(u3)\"" pod="kube-system/master-api-master-0.example.com" podUID="u3"
I1123 13:35:47.913065      90 kuberuntime_manager.go:1107] "Message for Container of pod" containerName="etcd" containerStatusID={"Type":"containerd","ID":"ETCD"} pod="kube-system/master-etcd-master-0.example.com" containerMessage="Container etcd failed liveness probe, will be restarted"
`

func journal() string {
	return strings.NewReplacer("SANDBOX1", strings.Repeat("a", 64), "SANDBOX2", strings.Repeat("b", 64),
		"ETCD", strings.Repeat("c", 64), "ONCE", strings.Repeat("d", 64)).Replace(podLines)
}

func TestPodRecords(t *testing.T) {
	answer := `{"items": [
	  {"metadata": {"name": "master-etcd-master-0.example.com", "annotations": {"kubernetes.io/config.hash": "u1"}},
	   "status": {"containerStatuses": [{"name": "etcd", "restartCount": 3, "state": {"running": {"startedAt": "x"}}}]}},
	  {"metadata": {"name": "master-api-master-0.example.com", "annotations": {"kubernetes.io/config.hash": "u3"}},
	   "status": {"containerStatuses": [{"name": "api", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}}]}`
	etcd := podRecord{Host: "master-0", Pod: "master-etcd", UID: "u1", Container: "etcd", State: "running", Restarts: 3, Starts: 1, Kills: 1}
	api := podRecord{Host: "master-0", Pod: "master-api", UID: "u3", Container: "api", State: "CrashLoopBackOff", BackOffs: 1}
	marked := etcd
	marked.Starts, marked.Kills = 0, 0
	for _, tt := range []struct {
		name string
		old  map[string]bool
		want []podRecord
	}{
		{"since the boot", nil, []podRecord{etcd, api}},
		{"etcd's manifest was there at the mark", map[string]bool{"u1": true}, []podRecord{marked, api}},
	} {
		got, err := podRecords(Host{Name: "master-0.example.com"}, []byte(answer), readJournal(journal()), tt.old)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestComplaints(t *testing.T) {
	good := podRecord{Pod: "etcd", State: "running", Starts: 2}
	tests := []struct {
		name   string
		change func(*podRecord)
		starts int
		want   []string
	}{
		{"as expected", func(*podRecord) {}, 2, nil},
		{"starts not looked at", func(*podRecord) {}, -1, nil},
		{"too many starts", func(*podRecord) {}, 1, []string{"etcd was started 2 times, expected 1"}},
		{"held back", func(r *podRecord) { r.State, r.BackOffs = "CrashLoopBackOff", 3 }, 2, []string{"etcd is CrashLoopBackOff", "CrashLoopBackOff of etcd 3 times"}},
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

func TestPatientProbe(t *testing.T) {
	got, err := patientProbe([]byte("a(newExecInContainer(ctx, container, containerID, command, timeout))\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("a(newExecInContainer(ctx, container, containerID, command, 0))\n", string(got)); diff != "" {
		t.Error(diff)
	}
	if _, err := patientProbe([]byte("another kubelet")); err == nil {
		t.Error("a source without the line was taken")
	}
}
