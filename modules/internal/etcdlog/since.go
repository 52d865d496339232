package etcdlog

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
)

// Since reads a time as `journalctl --since` does, for logs that are not in the journal: a date, a time, both, or how long ago [systemd.time(7)].
func Since(text string, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch text {
	case "":
		return time.Time{}, nil
	case "now":
		return now, nil
	case "today":
		return midnight, nil
	case "yesterday":
		return midnight.AddDate(0, 0, -1), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if at, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return at, nil
		}
	}
	for _, layout := range []string{"15:04:05", "15:04"} {
		if at, err := time.Parse(layout, text); err == nil {
			return midnight.Add(time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute + time.Duration(at.Second())*time.Second), nil
		}
	}
	if ago, ok := span(text); ok {
		return now.Add(-ago), nil
	}
	return time.Time{}, fault.New(fault.Invalid, "since is %q; expected a time such as \"2026-01-31 18:00:00\", or \"10 minutes ago\"", text)
}

var (
	spanPart = regexp.MustCompile(`^(\d{1,6}) *([a-z]+) *`)
	units    = map[string]time.Duration{
		"s": time.Second, "sec": time.Second, "second": time.Second, "seconds": time.Second,
		"m": time.Minute, "min": time.Minute, "minute": time.Minute, "minutes": time.Minute,
		"h": time.Hour, "hr": time.Hour, "hour": time.Hour, "hours": time.Hour,
		"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
		"w": 7 * 24 * time.Hour, "week": 7 * 24 * time.Hour, "weeks": 7 * 24 * time.Hour,
	}
)

// span is "-1h30min" or "1 hour 30 min ago".
func span(text string) (total time.Duration, ok bool) {
	rest, minus := strings.CutPrefix(text, "-")
	rest, ago := strings.CutSuffix(rest, "ago")
	if rest = strings.TrimSpace(rest); rest == "" || minus == ago {
		return 0, false
	}
	for rest != "" {
		m := spanPart.FindStringSubmatch(rest)
		if m == nil || units[m[2]] == 0 {
			return 0, false
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return 0, false
		}
		total += time.Duration(n) * units[m[2]]
		rest = rest[len(m[0]):]
	}
	return total, true
}
