package etcdlog

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/readfile"
)

// auditTail is how much of the audit log's end is read: a busy host writes a line for each login and cron job.
const auditTail = 4 << 20

// Denials reads from the audit log what SELinux denied etcd; where auditd runs, the journal does not have it. A missing file is no error. Kind
// timeout: ctx has ended.
func Denials(ctx context.Context, path string, since time.Time) ([]Entry, error) {
	return readfile.Await(ctx, path, func() ([]Entry, error) { return denials(ctx, path, since) })
}

func denials(ctx context.Context, path string, since time.Time) ([]Entry, error) {
	f, info, err := readfile.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	from := max(0, info.Size()-auditTail)
	raw, err := io.ReadAll(io.NewSectionReader(f, from, info.Size()-from))
	if err != nil {
		return nil, err
	}
	return denialsIn(ctx, string(raw), since), readfile.Over(ctx, path)
}

var auditTime = regexp.MustCompile(`msg=audit\((\d+)\.\d+:`)

func denialsIn(ctx context.Context, text string, since time.Time) []Entry {
	var out []Entry
	for line := range strings.Lines(text) {
		if ctx.Err() != nil {
			return nil
		}
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
