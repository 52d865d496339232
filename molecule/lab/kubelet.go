package main

import (
	"context"
	"path/filepath"
	"strings"
)

const kubeletVersion = "1.33.4"

// buildKubelet builds the kubelet from molecule/kubelet, once. It says its
// version in what it writes and refuses to start without one, and Go's build
// does not fill it in.
func buildKubelet(ctx context.Context, root string) error {
	unlock, err := lock(filepath.Join(root, ".cache/kubelet.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	return once(root, []string{"molecule/kubelet"}, ".cache/bin/kubelet-"+kubeletVersion, func(out string) error {
		logf("building the kubelet %s (about five minutes, once)", kubeletVersion)
		number := strings.SplitN(kubeletVersion, ".", 3)
		const version = "-X k8s.io/component-base/version."
		ldflags := version + "gitVersion=v" + kubeletVersion + " " + version + "gitMajor=" + number[0] + " " + version + "gitMinor=" + number[1]
		return goBuildWith(ctx, filepath.Join(root, "molecule/kubelet"), out, ldflags, "k8s.io/kubernetes/cmd/kubelet")
	})
}
