// Package etcdlog reads what etcd logged and explains the failures that are known: what a line means and what to do about it.
package etcdlog

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Entry is one line of a log. Level is syslog's: 2 critical, 3 error, 4 warning, 5 notice, 6 info.
type Entry struct {
	Time  time.Time
	Level int
	Text  string
}

// Levels, as syslog counts them.
const (
	Critical = 2
	Error    = 3
	Warning  = 4
	Info     = 6
)

// String is the entry as people read it.
func (e Entry) String() string {
	name := map[int]string{0: "critical", 1: "critical", Critical: "critical", Error: "error", Warning: "warning"}[e.Level]
	if name == "" {
		name = "info"
	}
	if e.Time.IsZero() {
		return name + ": " + e.Text
	}
	return e.Time.UTC().Format("2006-01-02T15:04:05Z") + " " + name + ": " + e.Text
}

// ParseJournal reads `journalctl -o json`, one object a line. A line that is not JSON is skipped: a journal that a power failure cut off may hold
// one, and then the other lines matter most.
func ParseJournal(raw []byte) []Entry {
	var out []Entry
	for _, line := range bytes.Split(raw, []byte("\n")) {
		var record struct {
			Message  json.RawMessage `json:"MESSAGE"`
			Priority json.RawMessage `json:"PRIORITY"`
			Time     json.RawMessage `json:"__REALTIME_TIMESTAMP"`
		}
		if json.Unmarshal(line, &record) != nil {
			continue
		}
		e := Entry{Text: withoutSecrets(text(record.Message)), Level: Info}
		if n, err := strconv.Atoi(text(record.Priority)); err == nil {
			e.Level = n
		}
		if usec, err := strconv.ParseInt(text(record.Time), 10, 64); err == nil {
			e.Time = time.UnixMicro(usec)
		}
		if e.Text = strings.TrimSpace(e.Text); e.Text != "" {
			e.Level = level(e)
			out = append(out, e)
		}
	}
	return out
}

// text is a field of the journal: a string, or a list of bytes where it is not UTF-8, or null where it is too long.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var numbers []int
	if json.Unmarshal(raw, &numbers) != nil {
		return ""
	}
	var b []byte
	for _, n := range numbers {
		b = append(b, byte(n))
	}
	return strings.ToValidUTF8(string(b), "?")
}

// marked is a line that has its own level. Docker's journald driver gives everything that a container writes to stderr, which is etcd's whole
// log, the priority of an error [docker/daemon/logger/journald].
var marked = regexp.MustCompile(`^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [A-Z] \| |\{"level":")`)

func level(e Entry) int {
	if marked.MatchString(e.Text) {
		return levelOf(e.Text)
	}
	return min(e.Level, levelOf(e.Text))
}

// levelOf finds the level in the line itself, where etcd logs to stderr: " W | " of capnslog, or zap's JSON.
func levelOf(line string) int {
	for _, mark := range []struct {
		text  string
		level int
	}{
		{" C | ", Critical}, {`"level":"fatal"`, Critical}, {`"level":"panic"`, Critical},
		{"panic: ", Critical}, {"fatal error: ", Critical},
		{" E | ", Error}, {`"level":"error"`, Error}, {" W | ", Warning}, {`"level":"warn"`, Warning},
	} {
		if strings.Contains(line, mark.text) {
			return mark.level
		}
	}
	return Info
}

// Worst picks the entry that says most about an end: the last of the gravest level.
func Worst(entries []Entry) (Entry, bool) {
	var worst Entry
	for i, e := range entries {
		if i == 0 || e.Level <= worst.Level {
			worst = e
		}
	}
	return worst, len(entries) > 0
}

// secret matches what a client may have stored, in the forms in which Go and protobuf print a request, and keys in PEM form.
var secret = regexp.MustCompile(`(?i)\b((?:prev)?val(?:ue)?|passw(?:or)?d|token|secret)("?\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|[^\s"]+)|-----BEGIN [A-Z ]*PRIVATE KEY-----.*`)

// withoutSecrets keeps the words of a line, and no value.
func withoutSecrets(text string) string { return secret.ReplaceAllString(text, "${1}${2}…") }
