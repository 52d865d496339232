package etcdlog

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseContainer(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678000000, time.UTC)
	raw := `5Z stderr F the end of a line whose beginning was not read
2026-01-02T03:04:05.678Z stderr F 2026-01-02 03:04:05.677123 I | etcdmain: etcd Version: 3.2.32
2026-01-02T03:04:05.678Z stderr P 2026-01-02 03:04:05.677123 W | rafthttp: a line 
2026-01-02T03:04:05.678Z stderr F in two pieces
2026-01-02T03:04:05.678Z stdout F panic: no stamp of its own
{"log":"2026-01-02 03:04:05.677123 E | etcdserver: by Docker\n","stream":"stderr","time":"2026-01-02T03:04:05.678Z"}
{"log":"{\"level\":\"warn\",\"msg\":\"etcd 3.5\"}\n","stream":"stderr","time":"2026-01-02T03:04:05.678Z"}
{"log":"cut off
2026-01-02T03:04:05.678Z stderr F ` + "\n"
	want := []Entry{
		{at, Info, "etcdmain: etcd Version: 3.2.32"},
		{at, Warning, "rafthttp: a line in two pieces"},
		{at, Critical, "panic: no stamp of its own"},
		{at, Error, "etcdserver: by Docker"},
		{at, Warning, `{"level":"warn","msg":"etcd 3.5"}`},
	}
	if diff := cmp.Diff(want, ParseContainer([]byte(raw))); diff != "" {
		t.Error(diff)
	}
}

func TestSince(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 30, 0, 0, time.FixedZone("", 3600))
	for text, want := range map[string]string{
		"":                     "0001-01-01T00:00:00Z",
		"now":                  "2026-03-04T12:30:00+01:00",
		"today":                "2026-03-04T00:00:00+01:00",
		"yesterday":            "2026-03-03T00:00:00+01:00",
		"2026-01-31 18:00:01":  "2026-01-31T18:00:01+01:00",
		"2026-01-31 18:00":     "2026-01-31T18:00:00+01:00",
		"2026-01-31":           "2026-01-31T00:00:00+01:00",
		"2026-01-31T18:00:00Z": "2026-01-31T18:00:00Z",
		"11:00":                "2026-03-04T11:00:00+01:00",
		"1 hour ago":           "2026-03-04T11:30:00+01:00",
		"10 minutes ago":       "2026-03-04T12:20:00+01:00",
		"-1h30min":             "2026-03-04T11:00:00+01:00",
		"1 day 2 hours ago":    "2026-03-03T10:30:00+01:00",
	} {
		if got, err := Since(text, now); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%q: %s (%v), want %s", text, got.Format(time.RFC3339), err, want)
		}
	}
	for _, text := range []string{"soon", "1 hour", "ago", "-1h ago", "5 parsecs ago", "2026-13-01"} {
		if got, err := Since(text, now); err == nil {
			t.Errorf("%q is taken for %s", text, got)
		}
	}
}

// For any bytes: no panic, no empty entries, no invented times.
func FuzzParseContainer(f *testing.F) {
	f.Add([]byte("2026-01-02T03:04:05.678Z stderr F 2026-01-02 03:04:05.677123 I | etcdmain: etcd Version: 3.2.32\n"))
	f.Add([]byte(`{"log":"x\n","time":"2026-01-02T03:04:05.678Z"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, e := range ParseContainer(raw) {
			if e.Text == "" || len(e.Text) > len(raw)*3 {
				t.Errorf("%q of %q", e.Text, raw)
			}
		}
	})
}

func FuzzSince(f *testing.F) {
	f.Add("1 hour 30 min ago")
	f.Add("2026-01-31 18:00")
	f.Fuzz(func(t *testing.T, text string) {
		now := time.Now()
		if ago, ok := span(text); ok && ago < 0 {
			t.Errorf("%q is %s ago", text, ago)
		}
		_, _ = Since(text, now) // it must not panic
	})
}
