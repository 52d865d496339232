package etcdlog

import (
	"context"
	"etcd-quorum-restore/modules/internal/fault"
	"os"
	"strings"
	"testing"
	"time"
)

// Any process of the host can bring text into the audit log: only whole lines count that deny etcd something, and only from the given time on.
func FuzzDenials(f *testing.F) {
	const denial = `type=AVC msg=audit(1700000000.123:42): avc:  denied  { read } for  pid=7 comm="etcd" name="db" scontext=system_u:system_r:init_t:s0`
	f.Add(denial, int64(0))
	f.Add(denial+"\n"+denial, int64(1700000001))
	f.Add(`msg=audit(99999999999999999999.1: denied comm="etcd"`, int64(0))
	f.Fuzz(func(t *testing.T, text string, since int64) {
		for _, e := range denialsIn(t.Context(), text, time.Unix(since, 0)) {
			if e.Time.Before(time.Unix(since, 0)) || strings.Contains(e.Text, "\n") || !strings.Contains(text, e.Text) || !strings.Contains(e.Text, "denied") {
				t.Errorf("%q gave %+v", text, e)
			}
		}
	})
}

func TestHostileTimeIsOver(t *testing.T) {
	path := t.TempDir() + "/audit.log"
	if err := os.WriteFile(path, []byte("type=AVC msg=audit(1.0:1): denied comm=\"etcd\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, read := range map[string]func() ([]Entry, error){
		"given up": func() ([]Entry, error) { return Denials(ctx, path, time.Time{}) },
		"within":   func() ([]Entry, error) { return denials(ctx, path, time.Time{}) },
	} {
		if got, err := read(); got != nil || fault.KindOf(err) != fault.Timeout || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
