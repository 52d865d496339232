package survey

import (
	"fmt"
	"os"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/procfs"
	"etcd-quorum-restore/modules/internal/readfile"
)

// notLoaded: etcd reads its CA's file at its start alone, and etcd_ca leaves a mark beside one that it has changed. Until the restart, the process
// accepts what the old certificate accepts, which may be nothing.
func notLoaded(certificates []facts.Certificate, p *procfs.Process) []facts.Check {
	if p == nil {
		return nil // it reads the file when it starts
	}
	began, err := p.StartedAt()
	for _, c := range certificates {
		if c.Purpose != "ca" {
			continue
		}
		path := facts.RestartMark(c.Path, "etcd")
		mark, statErr := os.Lstat(path)
		if statErr != nil || err == nil && began.After(mark.ModTime()) {
			continue
		}
		if text, readErr := readfile.Read(path, readfile.Text); readErr == nil && string(text) == facts.MarkOfANewCA {
			continue
		}
		return []facts.Check{{Name: "ca_restart", Status: "failed", Line: fmt.Sprintf("%s was changed, and etcd runs since before that", c.Path),
			Advice: "finish the renewal, which restarts it: ansible-playbook playbooks/renew_certificates.yml"}}
	}
	return nil
}
