package host

import (
	"context"
	"path/filepath"
	"regexp"
	"time"

	"etcd-quorum-restore/modules/internal/program"
	"etcd-quorum-restore/modules/internal/readfile"
)

var (
	printedVersion = regexp.MustCompile(`(?m)^etcd Version: (\d+\.\d+\.\d+)`)
	imageVersion   = regexp.MustCompile(`:v?(\d+\.\d+\.\d+)`) // of a tag such as registry.redhat.io/rhel7/etcd:3.2.26
)

// Version is the etcd that starts on this host, such as "3.2.32", running or not. "" means not known: a pod whose binaries were never copied
// here, and whose image's tag does not say it.
func (h *Host) Version(ctx context.Context) string {
	p, ok := h.Runtime.(*pod)
	if !ok {
		path, err := h.Binary(ctx, "etcd")
		if err != nil {
			return ""
		}
		return VersionOf(ctx, path)
	}
	if kept := filepath.Join(binDir(), "etcd"); readfile.IsFile(kept) {
		return VersionOf(ctx, kept)
	}
	if _, m, err := p.parsed(); err == nil {
		if found := imageVersion.FindStringSubmatch(m.Image()); found != nil {
			return found[1]
		}
	}
	return ""
}

// VersionOf asks a binary; "" where it does not answer as etcd does.
func VersionOf(ctx context.Context, binary string) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := program.Output(ctx, binary, program.Nobody, "--version")
	if found := printedVersion.FindStringSubmatch(out); err == nil && found != nil {
		return found[1]
	}
	return ""
}
