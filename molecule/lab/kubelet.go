package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
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
	sources := []string{"molecule/kubelet", "molecule/lab/kubelet.go"}
	return once(root, sources, ".cache/bin/kubelet-"+kubeletVersion, func(out string) error {
		logf("building the kubelet %s (about five minutes, once)", kubeletVersion)
		src := filepath.Join(root, "molecule/kubelet")
		overlay, err := kubeletOverlay(ctx, src, filepath.Join(root, ".cache/kubelet-source"))
		if err != nil {
			return err
		}
		return goBuildWith(ctx, src, out, versionFlags(kubeletVersion), "-overlay="+overlay, "k8s.io/kubernetes/cmd/kubelet")
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

// kubeletOverlay has the build read one changed file instead of the module's.
func kubeletOverlay(ctx context.Context, src, dir string) (string, error) {
	module, err := goList(ctx, src, "k8s.io/kubernetes")
	if err != nil {
		return "", err
	}
	original := filepath.Join(module, "pkg/kubelet/prober/prober.go")
	source, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	if source, err = patientProbe(source); err != nil {
		return "", err
	}
	changed, overlay := filepath.Join(dir, "prober.go"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	if err != nil {
		return "", err
	}
	return overlay, errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(changed, source, 0o644), os.WriteFile(overlay, replace, 0o644))
}
