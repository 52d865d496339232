package membertest

import (
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"
)

// Member is the content of a data directory to be written.
type Member struct {
	Log   *Log
	DB    []byte // nil: no file
	Snaps map[string][]byte
}

// AMember has this log, a database that fits Good, and no snapshot.
func AMember(log *Log) *Member {
	return &Member{Log: log, DB: DatabaseFile(8, 5), Snaps: map[string][]byte{}}
}

// Write writes the member to a new directory.
func (m *Member) Write(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	m.WriteTo(t, dir)
	return dir
}

// WriteTo writes the member as dir/member.
func (m *Member) WriteTo(t testing.TB, dir string) {
	t.Helper()
	for _, d := range []string{"member/wal", "member/snap"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range m.Log.Names {
		content := m.Log.Files[i]
		if i == len(m.Log.Names)-1 {
			content = append(content[:len(content):len(content)], make([]byte, m.Log.Room)...)
		}
		Put(t, filepath.Join(dir, "member/wal", name), content)
	}
	for name, content := range m.Snaps {
		Put(t, filepath.Join(dir, "member/snap", name), content)
	}
	if m.DB != nil {
		Put(t, filepath.Join(dir, "member/snap/db"), m.DB)
	}
}

// Put writes a file.
func Put(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// SnapFile is a .snap file with a store of this member, another one, and a v2 user key.
func SnapFile(index, term uint64, store string) []byte {
	voters := Number(nil, 1, SelfID)
	if store == "" {
		voters = Number(voters, 1, OtherID)
		store = `{"Root":{"Path":"/","Children":{` +
			`"0":{"Path":"/0","Children":{"members":{"Path":"/0/members","Children":{` +
			`"a1":{"Path":"/0/members/a1","Children":{"raftAttributes":{"Path":"","Value":"{\"peerURLs\":[\"http://self:2380\"]}"},"attributes":{"Path":"","Value":"{\"name\":\"self\"}"}}},` +
			`"b2":{"Path":"/0/members/b2","Children":{"raftAttributes":{"Path":"","Value":"{\"peerURLs\":[\"http://other:2380\"]}"}}}}}}},` +
			`"1":{"Path":"/1","Children":{"foo":{"Path":"/1/foo","Value":"secret"},"dir":{"Path":"/1/dir","Children":{}}}}}}}`
	}
	meta := Number(Number(BytesField(nil, 1, voters), 2, index), 3, term)
	data := BytesField(BytesField(nil, 1, []byte(store)), 2, meta)
	sum := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	return BytesField(Number(nil, 1, uint64(sum)), 2, data)
}
