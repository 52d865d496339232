package manifest

import "fmt"

// OneShotName is the name of the pod and of its container: not etcd's, so that there are never two pods of one name.
const OneShotName = "etcd-quorum-restore-copy"

// OneShotDone is the file that appears when the copies are whole.
const OneShotDone = "done"

// OneShot is a pod that copies etcd and etcdctl out of etcd's image into dir on the host, and ends. It has no probe, no restart, and no access to
// the data; the image is on the host already, since etcd runs from it.
func (m *Manifest) OneShot(dir string) []byte {
	return fmt.Appendf(nil, `apiVersion: v1
kind: Pod
metadata:
  name: %s
  namespace: %s
spec:
  restartPolicy: Never
  hostNetwork: true
  terminationGracePeriodSeconds: 1
  containers:
  - name: %s
    image: %q
    imagePullPolicy: Never
    command:
    - /bin/sh
    - -c
    - set -e; for p in etcd etcdctl; do cp "$(command -v $p)" /out/$p; done; sync; touch /out/%s
    securityContext:
      privileged: true
    volumeMounts:
    - name: out
      mountPath: /out
  volumes:
  - name: out
    hostPath:
      path: %q
`, OneShotName, m.namespace(), OneShotName, m.Image(), OneShotDone, dir)
}

func (m *Manifest) namespace() string {
	if m.Namespace() == "" {
		return "default"
	}
	return m.Namespace()
}
