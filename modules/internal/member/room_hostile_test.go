package member

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/membertest"
)

// User etcd can put a pipe in the place of the log's last segment after the log was read: the question for room ends all the same.
func TestHostileRoom(t *testing.T) {
	dir := membertest.AMember(membertest.Start()).Write(t)
	s := read(t, dir)
	segment := filepath.Join(walDirOf(dir, ""), s.end.file)
	if err := os.Remove(segment); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(segment, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := RoomToStart(s, dir, ""); err == nil {
		t.Error("a pipe is taken for the log")
	}
}
