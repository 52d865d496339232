package main

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
)

const kubeletVersion = "1.33.4"

// buildKubelet builds the kubelet from molecule/kubelet, once, with probes as
// 1.11 has them: see patientProbe.
func buildKubelet(ctx context.Context, root string) error {
	unlock, err := lock(filepath.Join(root, ".cache/kubelet.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	sources := []string{"molecule/kubelet", "molecule/lab/kubelet.go", "molecule/lab/etcd.go"}
	return once(root, sources, ".cache/bin/kubelet-"+kubeletVersion, func(out string) error {
		logf("building the kubelet %s (about five minutes, once)", kubeletVersion)
		src := filepath.Join(root, "molecule/kubelet")
		change := change{"k8s.io/kubernetes", "pkg/kubelet/prober/prober.go", patientProbe}
		modfile, err := changedSource(ctx, src, filepath.Join(root, ".cache/kubelet-source"), change)
		if err != nil {
			return err
		}
		return goBuildWith(ctx, src, out, versionFlags(kubeletVersion), "-mod=mod", "-modfile="+modfile, "k8s.io/kubernetes/cmd/kubelet")
	})
}

// versionFlags say the version, without which a kubelet does not start and which
// Go's build does not fill in.
func versionFlags(version string) string {
	number := strings.SplitN(version, ".", 3)
	const in = "-X k8s.io/component-base/version."
	return in + "gitVersion=v" + version + " " + in + "gitMajor=" + number[0] + " " + in + "gitMinor=" + number[1]
}

// patientProbe takes the time limit from commands of probes. 1.11 with Docker
// waits until the command ends; 1.33 kills it after a second, counts that as a
// failure, and so ends a healthy etcd on a busy machine.
func patientProbe(source []byte) ([]byte, error) {
	const limited = "newExecInContainer(ctx, container, containerID, command, timeout)"
	if bytes.Count(source, []byte(limited)) != 1 {
		return nil, errors.New("the kubelet's pkg/kubelet/prober/prober.go is not the one of " + kubeletVersion + ": no single " + limited)
	}
	return bytes.Replace(source, []byte(limited), []byte(strings.Replace(limited, "timeout", "0", 1)), 1), nil
}
