package etcdlog

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Problem is a known failure that a log shows.
type Problem struct {
	Code   string `json:"code"`   // does not change between releases
	Line   string `json:"line"`   // what it means, in one line
	Advice string `json:"advice"` // what to do
	Count  int    `json:"count"`
	Last   string `json:"last,omitempty"` // when it was logged last, RFC 3339
	Sample string `json:"sample"`         // the last line that shows it
}

// noQuorum is no problem once there is a leader: every start, and every stop of a leader, begins with an election.
const noQuorum = "no_quorum"

var leaderFound = regexp.MustCompile(`elected leader [0-9a-f]+ at term|became leader at term`)

// probed is a problem of a static pod only, and only if it happens several times without a leader in between.
const (
	probed     = "probe_ends_it"
	probedOver = 3
	probedIn   = time.Hour
)

// Explain finds the known failures, in the order of the table. The most general comes last: a missing leader follows from most of the others.
func Explain(entries []Entry) []Problem {
	return slices.DeleteFunc(explainAll(entries), func(p Problem) bool { return p.Code == probed })
}

// ExplainPod is Explain for a static pod, which the kubelet kills where its probe fails.
func ExplainPod(entries []Entry) []Problem { return explainAll(entries) }

func explainAll(entries []Entry) []Problem {
	found := map[string]*Problem{}
	var ends []time.Time
	for _, e := range entries {
		if leaderFound.MatchString(e.Text) {
			delete(found, noQuorum)
			delete(found, probed)
			ends = nil
		}
		k := explainAny(e.Text)
		if k == nil {
			continue
		}
		p := found[k.code]
		if p == nil {
			p = &Problem{Code: k.code, Line: k.line, Advice: k.advice}
			found[k.code] = p
		}
		if p.add(e); k.code == probed {
			ends = append(ends, e.Time)
		}
	}
	if !within(ends, probedOver, probedIn) {
		delete(found, probed)
	}
	out := []Problem{}
	for _, k := range knownFailures {
		if p := found[k.code]; p != nil {
			out = append(out, *p)
		}
	}
	return out
}

// within tells whether that many of the times, which are in order, lie in one span.
func within(times []time.Time, many int, span time.Duration) bool {
	for i := many - 1; i < len(times); i++ {
		if times[i].Sub(times[i-many+1]) <= span {
			return true
		}
	}
	return false
}

func (p *Problem) add(e Entry) {
	p.Count++
	p.Sample = e.Text
	if !e.Time.IsZero() {
		p.Last = e.Time.UTC().Format(time.RFC3339)
	}
}

// ExplainedEnd tells whether the line is critical and the table explains it.
func ExplainedEnd(e Entry) bool { return e.Level <= Critical && explain(e.Text) != nil }

// longestQuote is in bytes: a panic prints whole structures.
const longestQuote = 300

// Unexplained is what etcd logged when it ended, a critical line or a panic, where nothing in the table explains it. The last one is quoted.
func Unexplained(entries []Entry) (Problem, bool) {
	p := Problem{Code: "unexplained", Advice: "look the words up; how the cluster is: " + checkQuorum}
	for _, e := range entries {
		if e.Level <= Critical && explain(e.Text) == nil && !Harmless(e.Text) {
			p.add(e)
		}
	}
	p.Line = fmt.Sprintf("etcd ended with words that are not known here: %q", quote(p.Sample))
	return p, p.Count > 0
}

func quote(text string) string {
	if len(text) > longestQuote {
		text = strings.ToValidUTF8(text[:longestQuote], "") + "…"
	}
	return text
}

// end is how systemd tells that etcd's process is over. A stop that was asked for ends it with SIGTERM.
var end = regexp.MustCompile(`(?i)main process exited, code=(exited|killed|dumped), status=([1-9]\d*)/`)

// Ended is for a log that shows an end of etcd and nothing that explains it, not even a critical line: what etcd logged last before it is quoted.
func Ended(entries []Entry) (Problem, bool) {
	p := Problem{Code: "ended", Advice: "look the words up; how the cluster is: " + checkQuorum}
	last := ""
	for i, e := range entries {
		found := end.FindStringSubmatch(e.Text)
		if found == nil || found[2] == "15" {
			continue
		}
		if p.add(e); i > 0 {
			last = fmt.Sprintf("; before it was logged: %q", quote(entries[i-1].Text))
		}
	}
	p.Line = fmt.Sprintf("etcd ended: %q%s", quote(p.Sample), last)
	return p, p.Count > 0
}

// harmless lines look like failures and are not. Each start of etcd 3.2 logs the first: its own gateway dials the client port with the server's
// certificate, which the installer issued for servers only until June 2018. The second comes while a member reads its data. The third is about
// tokens that nobody uses. The last ones are slow because there was no quorum.
var harmless = regexp.MustCompile(`Failed to dial .*tls: bad certificate"; please retry|failed to find member .* in cluster|` +
	`simple token is not cryptographically signed|context deadline exceeded.* took too long`)

// Harmless tells whether a line is noise.
func Harmless(text string) bool { return harmless.MatchString(text) }

// explain skips what one line alone cannot show.
func explain(text string) *known {
	if k := explainAny(text); k != nil && k.code != probed {
		return k
	}
	return nil
}

func explainAny(text string) *known {
	if Harmless(text) {
		return nil
	}
	for i := range knownFailures {
		if knownFailures[i].compiled.MatchString(text) {
			return &knownFailures[i]
		}
	}
	return nil
}

// String is the problem in one line.
func (p Problem) String() string {
	return fmt.Sprintf("%s (%d times, last %s): %s. Next: %s", p.Code, p.Count, p.Last, p.Line, p.Advice)
}
