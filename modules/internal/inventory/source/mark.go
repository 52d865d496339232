package source

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// OwnComment marks a section or a child entry that this package made, so that it is removed when the group is empty.
const OwnComment = "# made by etcd_inventory"

// KeptComment is beside variables that moved to another of the host's lines when it left group, so that they are removed when it returns.
func KeptComment(group string) string { return "# kept from [" + group + "] by etcd_inventory" }

var KeptForm = regexp.MustCompile(`# kept from \[[^\]]+\] by etcd_inventory[ \t]*$`)

// Mark is the comment that keeps the entry of a host that left.
type Mark struct {
	Group string
	Since string // YYYY-MM-DD
	Nth   int    // the host's position in its group, for a YAML flow mapping, whose marks are on a line of their own; else 0
	Entry string
}

var markForm = regexp.MustCompile(`^[ \t]*# out of \[([^\]]+)\] since (\d{4}-\d\d-\d\d)(?: \(no\. (\d+)\))?:(?: (.*))?$`)

func (m Mark) String() string {
	nth := ""
	if m.Nth > 0 {
		nth = fmt.Sprintf(" (no. %d)", m.Nth)
	}
	text := fmt.Sprintf("# out of [%s] since %s%s:", m.Group, m.Since, nth)
	if m.Entry == "" {
		return text // an empty line of an entry: a trailing blank would be its only one
	}
	return text + " " + m.Entry
}

func ParseMark(text string) (Mark, bool) {
	if !strings.Contains(text, "# out of [") { // the regular expression is slow, and most comments are not marks
		return Mark{}, false
	}
	m := markForm.FindStringSubmatch(text)
	if m == nil {
		return Mark{}, false
	}
	nth, err := strconv.Atoi("0" + m[3])
	if err != nil {
		return Mark{}, false
	}
	return Mark{Group: m[1], Since: m[2], Nth: nth, Entry: m[4]}, true
}

// Newest returns the marks of the latest date: an older one was left behind when somebody put the host back by hand.
func Newest(marks []Mark) []Mark {
	var out []Mark
	for _, m := range marks {
		if len(out) > 0 && m.Since > out[0].Since {
			out = nil
		}
		if len(out) == 0 || m.Since == out[0].Since {
			out = append(out, m)
		}
	}
	return out
}

// IsStaging is true for openshift-ansible's groups of new hosts ("new_etcd", "new_nodes").
func IsStaging(group string) bool { return strings.HasPrefix(group, "new_") }

// Squeeze drops an entry's trailing blanks.
func Squeeze(entry string) string { return strings.TrimRight(entry, " ") }

// ChildrenMark is the group in the mark of a child's entry.
func ChildrenMark(group string) string { return group + ":children" }

// Hidden replaces what is not shown: any text that is not a name may be a secret, or a part of one.
const Hidden = "…"

// Shown is a mark whose entry begins with name, or of which nothing can be shown.
func (m Mark) Shown(name string, more bool) string {
	switch {
	case name == "" && m.Entry != "":
		m.Entry = Hidden
	case more:
		m.Entry = name + " " + Hidden
	default:
		m.Entry = name
	}
	return m.String()
}

// Visible is a word from a place of names, unless it is a setting that got there by mistake.
func Visible(name string) string {
	if strings.Contains(name, "=") {
		return Hidden
	}
	return name
}
