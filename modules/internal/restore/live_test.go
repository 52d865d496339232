package restore

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/member"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// backups are one member's stopped copy, v2 backup and v3 snapshot, made after enough entries for a .snap file and a log that begins behind it.
func backups(t *testing.T) (c *etcdtest.Cluster, paths map[string]string) {
	t.Helper()
	c = etcdtest.New(t, 1)
	m, dir := c.Members[0], t.TempDir()
	m.StartWith(t, m.Dir, "--snapshot-count", "10")
	m.WaitHealthy(t)
	for _, key := range strings.Fields("a b c d e f g h i j k l m n") {
		m.Must(t, 3, "put", "/v3/"+key, key)
		m.Must(t, 2, "set", "/v2/"+key, key)
	}
	paths = map[string]string{Copy: filepath.Join(dir, "copy"), V2: filepath.Join(dir, "v2"), Snapshot: filepath.Join(dir, "snapshot.db")}
	m.Must(t, 3, "snapshot", "save", paths[Snapshot])
	m.Stop(t)
	wal := filepath.Join(m.DataDir, "member", "wal")
	_, err := backup.CopyMember(t.Context(), filepath.Join(m.DataDir, "member"), wal, paths[Copy])
	check(t, err)
	_, err = backup.V2(t.Context(), etcdtest.Binary(t, "etcdctl"), m.DataDir, wal, paths[V2])
	check(t, err)
	return c, paths
}

func restorer(t *testing.T, m *etcdtest.Member) *Restorer {
	t.Helper()
	h, err := host.Load(t.Context(), host.Options{EtcdConf: m.Conf})
	check(t, err)
	token, err := newToken()
	check(t, err)
	return &Restorer{Host: h, Name: m.Name, PeerURLs: []string{m.PeerURL}, token: token,
		Binary: func(_ context.Context, name string) (string, error) { return etcdtest.Binary(t, name), nil }}
}

// Each method, restored twice: real etcd serves everything in the backup, under an ID that neither the old cluster nor another restore of the
// same backup has, and at this host's peer URL.
func TestLaidMembersServe(t *testing.T) {
	c, paths := backups(t)
	m := c.Members[0]
	old, err := member.Read(t.Context(), m.DataDir, "")
	check(t, err)
	check(t, os.Rename(filepath.Join(m.DataDir, "member"), filepath.Join(m.Dir, "old")))
	for method, path := range paths {
		t.Run(method, func(t *testing.T) {
			s, err := Find(t.Context(), path, "auto")
			check(t, err)
			if s.Method == Snapshot != (method == Snapshot) || s.Revision != old.Database.Revision {
				t.Fatalf("%+v", s)
			}
			seen := map[facts.ID]bool{old.ClusterID: true}
			for range 2 {
				r := restorer(t, m)
				at, err := r.newStaging()
				check(t, err)
				defer at.close()
				laid, err := r.lay(t.Context(), s, at)
				check(t, err)
				check(t, at.hand())
				if seen[laid.ClusterID] {
					t.Fatalf("cluster ID %s again", laid.ClusterID)
				}
				seen[laid.ClusterID] = true
			}
			check(t, os.Rename(filepath.Join(m.DataDir, "restoring", "member"), filepath.Join(m.DataDir, "member")))
			if _, err := member.KeepTail(t.Context(), m.DataDir, ""); err != nil {
				t.Fatal(err)
			}
			m.StartWith(t, m.Dir, "--force-new-cluster")
			m.WaitHealthy(t)
			if out := m.Must(t, 3, "get", "--print-value-only", "/v3/n"); out != "n" {
				t.Error(out)
			}
			if method != Snapshot {
				if out := m.Must(t, 2, "get", "/v2/n"); out != "n" {
					t.Error(out)
				}
			}
			m.Must(t, 3, "put", "/v3/new", "new")
			if list := m.Must(t, 3, "member", "list"); !strings.Contains(list, m.PeerURL) || strings.Count(list, "\n") > 0 {
				t.Error(list)
			}
			m.Stop(t)
			now, err := member.Read(t.Context(), m.DataDir, "")
			check(t, err)
			if !seen[now.ClusterID] || now.ClusterID == old.ClusterID || len(now.Damage) > 0 {
				t.Errorf("cluster %s, damage %v", now.ClusterID, now.Damage)
			}
			check(t, os.RemoveAll(filepath.Join(m.DataDir, "member")))
		})
	}
}

func TestFindRefuses(t *testing.T) {
	_, paths := backups(t)
	damaged := filepath.Join(t.TempDir(), "damaged.db")
	raw, err := os.ReadFile(paths[Snapshot])
	check(t, err)
	raw[5000] ^= 1
	check(t, os.WriteFile(damaged, raw, 0o600))
	check(t, os.WriteFile(filepath.Join(t.TempDir(), "short.db"), raw[:8192], 0o600))
	log, err := filepath.Glob(filepath.Join(paths[Copy], "member", "wal", "*.wal"))
	check(t, err)
	raw, err = os.ReadFile(log[0])
	check(t, err)
	raw[60] ^= 1
	check(t, os.WriteFile(log[0], raw, 0o600))
	for path, kind := range map[string]fault.Kind{
		damaged:                fault.Corrupt,
		paths[Copy]:            fault.Corrupt,
		t.TempDir():            fault.Invalid,
		"/nonexistent":         fault.Invalid,
		paths[V2] + ".partial": fault.Invalid,
	} {
		if _, err := Find(t.Context(), path, "auto"); fault.KindOf(err) != kind || err == nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// listed are all files below dir, in the form of a manifest.
func listed(t *testing.T, dir string) []backup.File {
	t.Helper()
	var out []backup.File
	check(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		out = append(out, backup.File{Path: path, Bytes: int64(len(content)), SHA256: fmt.Sprintf("%x", sha256.Sum256(content)), Mode: "0600"})
		return err
	}))
	return out
}

// A manifest decides: sums, the choice of the most complete entry, and the v2 keys that a snapshot lacks.
func TestManifest(t *testing.T) {
	_, paths := backups(t)
	dir := filepath.Dir(paths[Copy])
	s, err := Find(t.Context(), paths[Copy], "auto")
	check(t, err)
	lost := int64(14)
	m := backup.Manifest{Host: "a", Created: "2026-11-23T03:14:00Z", Backups: []backup.Entry{
		{Method: Snapshot, Path: paths[Snapshot], Revision: &s.Revision, V2LeftOut: &lost}, {Method: Copy, Path: paths[Copy], Revision: &s.Revision, V2Keys: &s.V2Keys}}}
	m.Files = listed(t, dir)
	check(t, m.Write(dir))
	for method, want := range map[string]string{"auto": Copy, "snapshot": Snapshot, "copy": Copy} {
		if s, err := Find(t.Context(), dir, method); err != nil || s.Method != want || !s.Checked {
			t.Errorf("%s: %+v %v", method, s, err)
		}
	}
	if _, err := Find(t.Context(), dir, "v2"); err == nil || !strings.Contains(err.Error(), "copy, snapshot") {
		t.Error(err)
	}
	s, err = Find(t.Context(), paths[Snapshot], "auto")
	check(t, err)
	if err := s.KeepsAll(false); fault.KindOf(err) != fault.Refused || !strings.Contains(err.Error(), "14 v2 keys") {
		t.Error(err)
	}
	check(t, s.KeepsAll(true))
	list, err := Candidates(t.Context(), filepath.Dir(dir))
	check(t, err)
	if len(list) != 2 || !strings.Contains(strings.Join(Lines(dir, list), "\n"), "no (14)") {
		t.Error(Lines(dir, list))
	}
	check(t, os.Truncate(paths[Snapshot], 100))
	if _, err := Find(t.Context(), dir, "copy"); fault.KindOf(err) != fault.Corrupt {
		t.Error(err)
	}
}

// A backup of a host whose address is in no list: the member keeps its ID, and gets this host's address.
func TestForeignAddress(t *testing.T) {
	_, paths := backups(t)
	s, err := Find(t.Context(), paths[Copy], "auto")
	check(t, err)
	m := etcdtest.New(t, 1).Members[0]
	r := restorer(t, m)
	r.OnChange = func() {}
	at, err := r.newStaging()
	check(t, err)
	defer at.close()
	laid, err := r.lay(t.Context(), s, at)
	check(t, err)
	check(t, at.hand())
	if laid.ID != s.state.ID {
		t.Errorf("member %s, want %s", laid.ID, s.state.ID)
	}
	check(t, os.Rename(filepath.Join(m.DataDir, "restoring", "member"), filepath.Join(m.DataDir, "member")))
	m.StartWith(t, m.Dir, "--force-new-cluster")
	m.WaitHealthy(t)
	out := Outcome{}
	check(t, out.Member.MemberID.UnmarshalText([]byte(strings.Split(m.Must(t, 3, "member", "list"), ",")[0])))
	check(t, r.movePeerURL(t.Context(), &out))
	if list := m.Must(t, 3, "member", "list"); !strings.Contains(list, r.PeerURLs[0]) {
		t.Error(list)
	}
}

// The rehearsal runs on the new member while that still belongs to root alone, and leaves nothing in it.
func TestRehearsalOfWhatIsLaid(t *testing.T) {
	_, paths := backups(t)
	s, err := Find(t.Context(), paths[Copy], "auto")
	check(t, err)
	m := etcdtest.New(t, 1).Members[0]
	r := restorer(t, m)
	r.Rehearse, r.Warn = true, t.Errorf
	at, err := r.newStaging()
	check(t, err)
	defer at.close()
	laid, err := r.lay(t.Context(), s, at)
	check(t, err)
	out := Outcome{}
	check(t, r.rehearse(t.Context(), laid, at, &out))
	if out.Rehearsd == nil || out.Rehearsd.Revision < s.Revision {
		t.Errorf("%+v", out.Rehearsd)
	}
	_, err = os.Stat(at.path("nothing"))
	if text := at.named(err).Error(); strings.Contains(text, "/proc/") || !strings.Contains(text, filepath.Join(m.DataDir, "restoring/nothing")) {
		t.Errorf("nobody knows this path: %s", text)
	}
	if left, err := os.ReadDir(filepath.Join(m.DataDir, "restoring")); err != nil || len(left) != 1 {
		t.Errorf("%v, %v; expected the member alone", left, err)
	}
}
