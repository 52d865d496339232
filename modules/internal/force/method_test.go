package force

import (
	"testing"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/membertest"
)

func TestMethodFor(t *testing.T) {
	for _, c := range []struct{ method, version, want string }{
		{Auto, "3.2.32", ByLog}, {"", "3.2.7", ByLog}, {Auto, "3.4.37", ByFlag}, {Auto, "", ByFlag}, {Auto, "3.20.1", ByFlag},
		{ByLog, "3.5.21", ByLog}, {ByFlag, "3.2.32", ByFlag},
	} {
		if got := MethodFor(c.method, c.version); got != c.want {
			t.Errorf("%q for %q: %s, want %s", c.method, c.version, got, c.want)
		}
	}
}

// TestMethodOfARecord: a run finishes with the method with which the start was begun.
func TestMethodOfARecord(t *testing.T) {
	for name, c := range map[string]struct {
		asked  string
		record *facts.Forcing
		want   string
	}{
		"none":                            {Auto, nil, ByLog}, // the stand-in reports etcd 3.2.32
		"asked for":                       {ByFlag, nil, ByFlag},
		"begun by the flag":               {Auto, &facts.Forcing{Phase: phaseBegun, Method: ByFlag}, ByFlag},
		"begun by the log, flag asked":    {ByFlag, &facts.Forcing{Phase: phaseBegun, Method: ByLog}, ByLog},
		"an older record, start asked":    {Auto, &facts.Forcing{Phase: phaseStart}, ByFlag},
		"an older record, nothing begun":  {Auto, &facts.Forcing{Phase: phaseBegun}, ByLog},
		"an older record, proven already": {Auto, &facts.Forcing{Phase: phaseProven}, ByLog},
	} {
		t.Run(name, func(t *testing.T) {
			_, f := forcer(t, membertest.AMember(twoOf()))
			f.Method = c.asked
			if got := f.method(soon(t), situation{record: c.record}); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
