package systemd

import (
	"fmt"
	"regexp"
	"strings"

	"gopkg.in/ini.v1"

	"etcd-quorum-restore/modules/internal/readfile"
)

// Setting is one assignment of a unit file, its value as written.
type Setting struct{ Section, Key, Value string }

// empty replaces the value of an assignment that resets those before it. ini.v1 drops empty values where a key has several, and interprets quotes
// and backquotes at a value's beginning.
const empty = "\x1a"

// Settings lists the assignments of a unit file: those of one key in order, the keys in the order in which they first appear. Lines that systemd
// ignores are no settings. An error means that the text does not have this form at all.
func Settings(text string) ([]Setting, error) {
	f, err := ini.LoadSources(ini.LoadOptions{
		AllowShadows: true, AllowDuplicateShadowValues: true, // a key has as many values as lines
		IgnoreInlineComment: true, // systemd has none
		IgnoreContinuation:  true, // ini.v1 joins lines without the blank that systemd puts between them
		KeyValueDelimiters:  "=",
	}, []byte(plain(text)))
	if err != nil {
		return nil, fmt.Errorf("read a unit file: %w", err)
	}
	var out []Setting
	for _, section := range f.Sections() {
		for _, key := range section.Keys() {
			for _, value := range key.ValueWithShadows() {
				out = append(out, Setting{section.Name(), key.Name(), strings.TrimPrefix(value, empty)})
			}
		}
	}
	return out, nil
}

var assignment = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*)[ \t]*=[ \t]*(.*)$`)

// plain has one line for each section and assignment, and no others.
func plain(text string) string {
	var out strings.Builder
	outside := true // of any section that has a name
	for _, l := range logicalLines(text) {
		l = strings.TrimSpace(l)
		if strings.HasPrefix(l, "[") {
			if outside = len(l) < 3 || !strings.HasSuffix(l, "]"); !outside {
				out.WriteString(l + "\n")
			}
		} else if m := assignment.FindStringSubmatch(l); m != nil && !outside {
			out.WriteString(m[1] + "=" + empty + m[2] + "\n")
		}
	}
	return out.String()
}

// logicalLines joins lines: a line continues in the next where it ends in a backslash that is not escaped. Comments in between are not part of
// it, and do not continue [systemd.syntax(7)].
func logicalLines(text string) []string {
	var out []string
	begun := ""
	for _, l := range strings.Split(text, "\n") {
		l = strings.TrimRight(l, "\r")
		if bare := strings.TrimLeft(l, " \t"); strings.HasPrefix(bare, "#") || strings.HasPrefix(bare, ";") {
			continue
		}
		begun += l
		if slashes := len(begun) - len(strings.TrimRight(begun, `\`)); slashes%2 == 1 {
			begun = begun[:len(begun)-1] + " "
			continue
		}
		out, begun = append(out, begun), ""
	}
	return append(out, begun)
}

// ResetsAsserts tells whether the file clears the list of assertions of earlier files.
func ResetsAsserts(path string) (bool, error) {
	text, err := readfile.Read(path, readfile.Text)
	if err != nil {
		return false, err
	}
	settings, err := Settings(string(text))
	for _, s := range settings {
		if s.Section == "Unit" && strings.HasPrefix(s.Key, "Assert") && s.Value == "" {
			return true, nil
		}
	}
	return false, err
}
