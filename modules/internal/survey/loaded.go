package survey

import (
	"fmt"
	"os"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/procfs"
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
		mark, statErr := os.Lstat(facts.RestartMark(c.Path, "etcd"))
		if statErr != nil || err == nil && began.After(mark.ModTime()) {
			continue
		}
		return []facts.Check{{Name: "ca_restart", Status: "failed", Line: fmt.Sprintf("%s was changed, and etcd runs since before that", c.Path),
			Advice: "finish the renewal, which restarts it: ansible-playbook playbooks/renew_certificates.yml"}}
	}
	return nil
}

// halfRenewed: until the last stage both CAs are trusted, and what openshift-ansible's playbooks make of two is not known.
func halfRenewed(out facts.Host) []facts.Check {
	if out.CARenewal == "" {
		return nil
	}
	return []facts.Check{{Name: "ca_renewal", Status: "failed", Line: "etcd's CA is being replaced by a new one, and is in stage " + out.CARenewal,
		Advice: "finish it: ansible-playbook playbooks/renew_certificates.yml"}}
}
