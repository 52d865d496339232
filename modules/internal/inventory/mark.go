package inventory

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// ownComment marks a section or a child entry that this package made, so that it goes again when the group is empty.
const ownComment = "# made by etcd_inventory"

// keptComment stands beside variables that moved to another of the host's lines when it left group, so that they go when it returns.
func keptComment(group string) string { return "# kept from [" + group + "] by etcd_inventory" }

var keptForm = regexp.MustCompile(`# kept from \[[^\]]+\] by etcd_inventory[ \t]*$`)

// mark is the comment that keeps the entry of a host that left.
type mark struct {
	group string
	since string // YYYY-MM-DD
	nth   int    // where the host stood among its group's, for a YAML flow mapping, whose marks stand on a line of their own; else 0
	entry string
}

var markForm = regexp.MustCompile(`^[ \t]*# out of \[([^\]]+)\] since (\d{4}-\d\d-\d\d)(?: \(no\. (\d+)\))?:(?: (.*))?$`)

func (m mark) String() string {
	nth := ""
	if m.nth > 0 {
		nth = fmt.Sprintf(" (no. %d)", m.nth)
	}
	text := fmt.Sprintf("# out of [%s] since %s%s:", m.group, m.since, nth)
	if m.entry == "" {
		return text // an empty line of an entry: a blank at the line's end would be the only one
	}
	return text + " " + m.entry
}

func parseMark(text string) (mark, bool) {
	if !strings.Contains(text, "# out of [") { // the regular expression is slow, and most comments are not marks
		return mark{}, false
	}
	m := markForm.FindStringSubmatch(text)
	if m == nil {
		return mark{}, false
	}
	nth, err := strconv.Atoi("0" + m[3])
	if err != nil {
		return mark{}, false
	}
	return mark{group: m[1], since: m[2], nth: nth, entry: m[4]}, true
}

// newest returns the marks of the latest date: an older one was left behind when somebody put the host back by hand.
func newest(marks []mark) []mark {
	var out []mark
	for _, m := range marks {
		if len(out) > 0 && m.since > out[0].since {
			out = nil
		}
		if len(out) == 0 || m.since == out[0].since {
			out = append(out, m)
		}
	}
	return out
}

// isStaging tells openshift-ansible's groups of hosts to come ("new_etcd", "new_nodes") from all others.
func isStaging(group string) bool { return strings.HasPrefix(group, "new_") }
