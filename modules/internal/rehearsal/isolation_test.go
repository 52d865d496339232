package rehearsal

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/freeport"
)

// TestNoConnectionLeaves listens where the old peers did. A forced start that only uses loopback addresses connects there, under the survivor's
// identity; the rehearsal does not.
func TestNoConnectionLeaves(t *testing.T) {
	dir, peers := killedMember(t, 3, 2)
	var knocks atomic.Int32
	for _, address := range peers {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				knocks.Add(1)
				c.Close()
			}
		}()
	}
	unisolated := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(unisolated, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	before := listing(t, dir)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	result, err := Run(ctx, Options{Etcd: realEtcd(t), Copy: dir, Name: "m0", KeepTail: true})
	if err != nil || result.Name != "m0" {
		t.Fatal(result, err)
	}
	if n := knocks.Load(); n != 0 {
		t.Errorf("%d connections left the rehearsal", n)
	}
	if diff := cmp.Diff(before, listing(t, dir)); diff != "" {
		t.Error("the copy changed: ", diff)
	}
	forceUnisolated(ctx, t, unisolated)
	for knocks.Load() == 0 {
		if ctx.Err() != nil {
			t.Fatal("the test's own condition does not hold: a start that is not isolated did not knock either")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func forceUnisolated(ctx context.Context, t *testing.T, dir string) {
	t.Helper()
	client, peer := freeport.URL(t), freeport.URL(t)
	cmd := exec.CommandContext(ctx, realEtcd(t), "--name", "m0", "--data-dir", dir, "--force-new-cluster", "--listen-client-urls", client,
		"--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "m0="+peer)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
		_ = cmd.Wait() // it was killed
	})
}
