package source

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxNames is the limit for one range: `h[1:999999999]` must not fill the memory.
const maxNames = 1 << 17

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

var (
	withPort  = regexp.MustCompile(`^((?:[^:\[\]]|\[[^\]]*\])*):([0-9]+)$`)
	bracketed = regexp.MustCompile(`^\[(.+)\]:([0-9]+)$`)
	label     = regexp.MustCompile(`^(?:[\p{L}\p{N}_]|` + rangeText + `)(?:[\p{L}\p{N}_-]|` + rangeText + `)*$`)
)

const rangeText = `\[(?:[a-zA-Z]:[a-zA-Z]|[0-9]+:[0-9]+)(?::[0-9]+)?\]`

// Pattern is the first word of a host line, or a host's key in YAML: a name or a range of names, sometimes with a port.
type Pattern struct {
	Prefix, Hosts, Suffix string // prefix and suffix are the port's text, `[` and `]:22` or "" and `:22`
	Port                  string
}

// ParsePattern splits off the port as Ansible does: what Ansible does not take for a host name has no port, and means itself.
func ParsePattern(s string) Pattern {
	if !strings.Contains(s, ":") {
		return Pattern{Hosts: s} // nearly all names end here; regular expressions are slow
	}
	if m := bracketed.FindStringSubmatch(s); m != nil {
		p := Pattern{"[", m[1], "]:" + m[2], m[2]}
		if inner := withPort.FindStringSubmatch(p.Hosts); inner != nil { // to Ansible `[1:3]:22` is not a range, but host 1, port 3
			p = Pattern{"[", inner[1], ":" + inner[2] + p.Suffix, inner[2]}
		}
		if isAddress(p.Hosts) {
			return p
		}
		return Pattern{Hosts: s}
	}
	if m := withPort.FindStringSubmatch(s); m != nil && isAddress(m[1]) {
		return Pattern{"", m[1], ":" + m[2], m[2]}
	}
	return Pattern{Hosts: s}
}

func isAddress(s string) bool {
	if ip, err := netip.ParseAddr(s); err == nil {
		return ip.Zone() == ""
	}
	for _, part := range strings.Split(s, ".") {
		if !label.MatchString(part) || strings.HasSuffix(part, "-") || strings.HasSuffix(part, "_") {
			return false
		}
	}
	return true
}

func (p Pattern) IsRange() bool { return strings.Contains(p.Hosts, "[") }

func (p Pattern) Names() ([]string, error) {
	if !p.IsRange() {
		return []string{p.Hosts}, nil
	}
	return expand(p.Hosts, maxNames)
}

// span is the first range of a pattern: the text before and after it, and its values in order.
type span struct {
	head, tail, step string
	values           []string
}

// firstSpan reads the first `[begin:end]` or `[begin:end:step]`: numbers, padded with zeros if begin is, or letters.
func firstSpan(s string) (span, error) {
	open := strings.IndexByte(s, '[')
	head, rest := s[:open], s[open+1:]
	inner, tail, ok := strings.Cut(rest, "]")
	bounds := strings.Split(inner, ":")
	if !ok || strings.Contains(s, "|") || len(bounds) < 2 || len(bounds) > 3 {
		return span{}, errors.New("expected a range like [1:3], [01:20], [a:c] or [0:10:2]")
	}
	out := span{head: head, tail: tail}
	step := 1
	if len(bounds) == 3 {
		n, err := strconv.Atoi(bounds[2])
		if err != nil || n < 1 {
			return span{}, errors.New("the step of the range is not a positive number")
		}
		out.step, step = bounds[2], n
	}
	var err error
	if out.values, err = values(bounds[0], bounds[1], step); err != nil {
		return span{}, err
	}
	return out, nil
}

func values(begin, end string, step int) ([]string, error) {
	from, to := strings.Index(letters, begin), strings.Index(letters, end)
	if len(begin) == 1 && len(end) == 1 && from >= 0 && to >= 0 {
		if from > to {
			return nil, errors.New("the range ends before it begins")
		}
		var out []string
		for i := from; i <= to; i += step {
			out = append(out, letters[i:i+1])
		}
		return out, nil
	}
	return numbers(begin, end, step)
}

func numbers(begin, end string, step int) ([]string, error) {
	if begin == "" {
		begin = "0"
	}
	width := 0
	if len(begin) > 1 && begin[0] == '0' {
		if width = len(begin); len(end) != width {
			return nil, errors.New("begin and end must have the same number of digits")
		}
	}
	from, err := strconv.ParseUint(begin, 10, 32)
	to, err2 := strconv.ParseUint(end, 10, 32)
	if err != nil || err2 != nil {
		return nil, errors.New("begin and end must both be numbers, or both one letter")
	}
	if to >= from && (to-from)/uint64(step) >= maxNames {
		return nil, fmt.Errorf("the range stands for more than %d hosts", maxNames)
	}
	var out []string
	for n := from; n <= to; n += uint64(step) {
		out = append(out, fmt.Sprintf("%0*d", width, n))
	}
	return out, nil
}

// expand lists the names of a pattern; the last range changes fastest.
func expand(s string, limit int) ([]string, error) {
	if !strings.Contains(s, "[") {
		return []string{s}, nil
	}
	sp, err := firstSpan(s)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, v := range sp.values {
		names, err := expand(sp.head+v+sp.tail, limit-len(out))
		if err != nil {
			return nil, err
		}
		if out = append(out, names...); len(out) > limit {
			return nil, fmt.Errorf("the range stands for more than %d hosts", maxNames)
		}
	}
	return out, nil
}

// Piece is one part of a pattern that was split at a host.
type Piece struct {
	Pattern string
	Leaves  bool // it is the host that the split is for
}

// SplitAt cuts host out of a range: the values before it and after it stay ranges, host becomes a name of its own.
func SplitAt(s, host string) ([]Piece, error) {
	if !strings.Contains(s, "[") {
		return []Piece{{s, s == host}}, nil
	}
	sp, err := firstSpan(s)
	if err != nil {
		return nil, err
	}
	for i, v := range sp.values {
		one := sp.head + v + sp.tail
		names, err := expand(one, maxNames)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(names, host) {
			continue
		}
		inner, err := SplitAt(one, host)
		if err != nil {
			return nil, err
		}
		out := append(sp.run(0, i), inner...)
		return append(out, sp.run(i+1, len(sp.values))...), nil
	}
	return []Piece{{s, false}}, nil
}

// run writes values [from, to) of the range as a range again, or as a name where it is one value.
func (sp span) run(from, to int) []Piece {
	switch to - from {
	case 0:
		return nil
	case 1:
		return []Piece{{sp.head + sp.values[from] + sp.tail, false}}
	}
	inner := sp.values[from] + ":" + sp.values[to-1]
	if sp.step != "" {
		inner += ":" + sp.step
	}
	return []Piece{{sp.head + "[" + inner + "]" + sp.tail, false}}
}
