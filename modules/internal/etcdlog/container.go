package etcdlog

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"time"
)

// ParseContainer reads a container's log file: the kubelet's own format (TIME STREAM F|P TEXT) or Docker's, one JSON object a line. Lines that
// are neither are skipped, such as the first one of a file that is read from its middle.
func ParseContainer(raw []byte) []Entry {
	var out []Entry
	begun := "" // of a line that was written in pieces
	for _, row := range bytes.Split(raw, []byte("\n")) {
		at, piece, whole, ok := containerRow(row)
		if !ok {
			continue
		}
		if begun += piece; !whole && len(begun) < longest {
			continue
		}
		if e := fromText(at, begun); e.Text != "" {
			out = append(out, e)
		}
		begun = ""
	}
	return out
}

// ParsePlain reads what etcd printed, without times of a runtime's own.
func ParsePlain(raw string) []Entry {
	var out []Entry
	for _, line := range strings.Split(raw, "\n") {
		if e := fromText(time.Time{}, line); e.Text != "" {
			out = append(out, e)
		}
	}
	return out
}

const longest = 64 << 10

func containerRow(row []byte) (at time.Time, text string, whole, ok bool) {
	if bytes.HasPrefix(row, []byte("{")) {
		var record struct {
			Log  string
			Time time.Time
		}
		if json.Unmarshal(row, &record) != nil {
			return at, "", false, false
		}
		return record.Time, strings.TrimSuffix(record.Log, "\n"), strings.HasSuffix(record.Log, "\n"), true
	}
	parts := strings.SplitN(string(row), " ", 4)
	if len(parts) < 4 {
		return at, "", false, false
	}
	at, err := time.Parse(time.RFC3339Nano, parts[0])
	return at, parts[3], !strings.HasPrefix(parts[2], "P"), err == nil && (parts[1] == "stdout" || parts[1] == "stderr")
}

// ownStamp is what capnslog puts before a line outside of systemd: its own time and the level. Equal messages become equal lines without it.
var ownStamp = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ ([A-Z]) \| `)

func fromText(at time.Time, text string) Entry {
	text = withoutSecrets(strings.TrimSpace(strings.ToValidUTF8(text, "?")))
	e := Entry{Time: at, Level: min(Info, levelOf(text))}
	if m := ownStamp.FindString(text); m != "" {
		text = text[len(m):]
	}
	e.Text = text
	return e
}
