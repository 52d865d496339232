package main

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// act is what a play has done on some hosts: what each of them registered, in the hosts' order; {} where it registered nothing.
type act struct {
	What     string       `json:"what"`
	Hosts    []string     `json:"hosts"`
	Results  []taskResult `json:"results"`
	Optional bool         `json:"optional"`
}

// taskResult is what Ansible registers of a task: of a loop, with a result for each item.
type taskResult struct {
	Changed     *bool           `json:"changed"` // nil: nothing was registered
	Failed      bool            `json:"failed"`
	Unreachable bool            `json:"unreachable"`
	Skipped     bool            `json:"skipped"`
	Msg         json.RawMessage `json:"msg"`
	Diff        json.RawMessage `json:"diff"`
	Items       []taskResult    `json:"results"`
}

// step is one host's part of an act. Diffs are as modules return them, with secrets masked.
type step struct {
	At    string `json:"at"` // when it was over
	What  string `json:"what"`
	Host  string `json:"host"`
	State string `json:"state"` // changed, unchanged, failed, unreachable, unknown
	Said  string `json:"said"`
	Diffs []diff `json:"diffs"`
}

type diff struct {
	File   string `json:"file"`
	Before string `json:"before"`
	After  string `json:"after"`
}

func stepsOf(acts []act, at string) []step {
	steps := []step{}
	for _, a := range acts {
		for i, host := range a.Hosts {
			var r taskResult
			if i < len(a.Results) {
				r = a.Results[i]
			}
			if !r.Skipped && !(a.Optional && r.state() == "unknown") {
				steps = append(steps, step{At: at, What: a.What, Host: host, State: r.state(), Said: r.said(), Diffs: r.diffs()})
			}
		}
	}
	return steps
}

func (r taskResult) state() string {
	switch {
	case r.Unreachable:
		return "unreachable"
	case r.Failed:
		return "failed"
	case r.Changed == nil:
		return "unknown"
	case *r.Changed:
		return "changed"
	}
	return "unchanged"
}

func (r taskResult) said() string {
	var text string
	if json.Unmarshal(r.Msg, &text) != nil {
		return ""
	}
	return text
}

// diffs are those of this project's modules: a list, with the file's name in the header. Diffs of other modules are not recorded, since nothing
// says that they are masked.
func (r taskResult) diffs() []diff {
	out := []diff{}
	var found []struct {
		Before string `json:"before"`
		After  string `json:"after"`
		Header string `json:"after_header"`
	}
	if json.Unmarshal(r.Diff, &found) == nil && r.Changed != nil && *r.Changed {
		for _, d := range found {
			out = append(out, diff{File: d.Header, Before: d.Before, After: d.After})
		}
	}
	for _, item := range r.Items {
		out = append(out, item.diffs()...)
	}
	return out
}

// merged is old with the steps of new that it lacks: a play that looks again at what is done finds the same results.
func merged(old, new []step) []step {
	for _, s := range new {
		known := slices.ContainsFunc(old, func(o step) bool {
			return o.What == s.What && o.Host == s.Host && o.State == s.State && o.Said == s.Said
		})
		if !known {
			old = append(old, s)
		}
	}
	return old
}

// Bar is a line of the timeline: a stage's acts, when it was over, and from where to where it is drawn, in thousandths of the whole.
type Bar struct {
	At          string
	What, Hosts []string
	Seconds     int
	From, Width float64
}

// Timeline is drawn to scale: each bar begins where the one before ends.
func (r record) Timeline() []Bar {
	steps := slices.Clone(r.Steps)
	if r.Ended != "" {
		steps = append(steps, step{At: r.Ended, What: "the last checks"})
	}
	begin, err := time.Parse(time.RFC3339, r.Planned)
	if err != nil || len(steps) == 0 {
		return nil
	}
	bars, last := []Bar{}, begin
	for _, s := range steps {
		at, err := time.Parse(time.RFC3339, s.At)
		if err != nil {
			continue // it was not written by this suite
		}
		if len(bars) == 0 || !at.Equal(last) {
			bars = append(bars, Bar{At: at.UTC().Format(time.TimeOnly), Seconds: int(at.Sub(last).Seconds()), From: last.Sub(begin).Seconds()})
			last = at
		}
		bars[len(bars)-1].add(s)
	}
	whole := max(last.Sub(begin).Seconds(), 1)
	for i := range bars {
		bars[i].Width = max(1000*float64(bars[i].Seconds)/whole, 2)
		bars[i].From = min(1000*bars[i].From/whole, 1000-bars[i].Width)
	}
	return bars
}

func (b *Bar) add(s step) {
	if !slices.Contains(b.What, s.What) {
		b.What = append(b.What, s.What)
	}
	if s.Host != "" && !slices.Contains(b.Hosts, s.Host) {
		b.Hosts = append(b.Hosts, s.Host)
	}
}

// Lines of a diff, with the sign that says which side has them.
func (d diff) Lines() string {
	var out strings.Builder
	for _, side := range []struct{ sign, text string }{{"- ", d.Before}, {"+ ", d.After}} {
		for line := range strings.Lines(side.text) {
			out.WriteString(side.sign + strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	return out.String()
}

// Changes are the steps that have changed something, or may have.
func (r record) Changes() []step {
	return slices.DeleteFunc(slices.Clone(r.Steps), func(s step) bool { return s.State == "unchanged" })
}
