package etcdlog

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// auditTail is how much of the audit log's end is looked at: a busy host writes a line for each login and cron job.
const auditTail = 4 << 20

// Denials reads what SELinux denied etcd from the audit log; where auditd runs, the journal has no word of it. No such file is no error.
func Denials(path string, since time.Time) ([]Entry, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	from := max(0, info.Size()-auditTail)
	raw, err := io.ReadAll(io.NewSectionReader(f, from, info.Size()-from))
	return denialsIn(string(raw), since), err
}

var auditTime = regexp.MustCompile(`msg=audit\((\d+)\.\d+:`)

func denialsIn(text string, since time.Time) []Entry {
	var out []Entry
	for _, line := range strings.Split(text, "\n") {
		m := auditTime.FindStringSubmatch(line)
		if m == nil || !strings.Contains(line, "denied") || !strings.Contains(line, `comm="etcd"`) {
			continue
		}
		sec, err := strconv.ParseInt(m[1], 10, 64)
		if at := time.Unix(sec, 0); err == nil && !at.Before(since) {
			out = append(out, Entry{Time: at, Level: Error, Text: strings.TrimSpace(line)})
		}
	}
	return out
}
