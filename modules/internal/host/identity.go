package host

import (
	"errors"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/member"
)

// Member is the identity in this host's data; nil where there is no log. It works on a running member, too.
func (h *Host) Member() (*facts.Member, error) {
	m, err := MemberAt(h.WALDir())
	if m != nil {
		m.Name = h.Config.Name
	}
	return m, err
}

// MemberAt is the identity in the log of walDir; nil where there is no log.
func MemberAt(walDir string) (*facts.Member, error) {
	id, cluster, err := member.Identity(walDir)
	if errors.Is(err, member.ErrNoMember) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &facts.Member{ID: id, ClusterID: cluster}, nil
}
