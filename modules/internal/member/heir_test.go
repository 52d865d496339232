package member

import (
	"testing"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/membertest"
)

func TestHeir(t *testing.T) {
	s := read(t, membertest.AMember(membertest.Good()).Write(t))
	for name, c := range map[string]struct {
		urls []string
		want facts.ID
	}{
		"the member of these URLs":   {[]string{"http://other:2380"}, membertest.OtherID},
		"in another spelling":        {[]string{"HTTP://Other:2380/"}, membertest.OtherID},
		"nobody's URLs: whose it is": {[]string{"http://third:2380"}, membertest.SelfID},
		"no URLs":                    {nil, membertest.SelfID},
	} {
		if got, err := s.Heir(c.urls); got != c.want || err != nil {
			t.Errorf("%s: %v, %v; expected %v", name, got, err, c.want)
		}
	}
}
