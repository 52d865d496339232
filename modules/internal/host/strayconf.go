package host

import (
	"path/filepath"
	"time"

	"etcd-quorum-restore/modules/internal/etcdconf"
	"etcd-quorum-restore/modules/internal/safefile"
	"etcd-quorum-restore/modules/internal/timelimit"
)

// Under these names the chapter and editors keep a copy of etcd.conf.
var confCopies = []string{"etcd.conf.bak", "etcd.conf", "etcd.conf.old", "etcd.conf.orig", "etcd.conf.save", "etcd.conf.backup", "etcd.conf~"}

// CopyOfConf finds a copy of a missing etcd.conf of this member, where operators leave one: a file of root's, in a directory of root's. The chapter
// removes etcd.conf before it moves its copy back, which lies wherever the operator was then. "" where there is none.
func (h *Host) CopyOfConf(member string) string {
	found := timelimit.Collect(strayLimit, func(add func(string)) {
		eachPlace(time.Now().Add(strayLimit), func(at place) {
			for _, name := range confCopies {
				if path := filepath.Join(at.path, name); path != filepath.Clean(h.EtcdConf) && isConfOf(at.path, name, member) {
					add(path)
				}
			}
		})
	})
	if len(found) == 0 {
		return ""
	}
	return found[0]
}

func isConfOf(path, name, member string) bool {
	dir, err := safefile.OpenDir(path)
	if err != nil {
		return false
	}
	defer dir.Close()
	f, err := dir.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	if !rootsAlone(f) || dir.Private() != nil {
		return false
	}
	conf, err := etcdconf.ReadCopy(f.Name())
	called := conf.Get("ETCD_NAME")
	return err == nil && called != "" && (member == "" || called == member)
}
