package host

import (
	"errors"
	"strconv"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/member"
)

// Member is who this host's data says it is; nil where there is no log. It works on a running member, too.
func (h *Host) Member() (*facts.Member, error) {
	m, err := MemberAt(h.WALDir())
	if m != nil {
		m.Name = h.Config.Name
	}
	return m, err
}

// MemberAt is who the log in walDir belongs to; nil where there is none.
func MemberAt(walDir string) (*facts.Member, error) {
	id, cluster, err := member.Identity(walDir)
	if errors.Is(err, member.ErrNoMember) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &facts.Member{ID: strconv.FormatUint(id, 16), ClusterID: strconv.FormatUint(cluster, 16)}, nil
}
