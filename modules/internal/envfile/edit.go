package envfile

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"etcd-quorum-restore/modules/internal/fault"
)

// Set gives key a value. Where several lines assign key, the last one is edited, since that is the one that counts. A new key goes behind its
// commented-out line, or to the end. After an error the file is as it was.
func (f *File) Set(key, value string) error {
	if !keyForm.MatchString(key) {
		return fault.New(fault.Invalid, "%q is no name of a variable: expected letters, digits and _", key)
	}
	if !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl) {
		return fault.New(fault.Invalid, "%s: the value %q holds a line end or another control character", key, value)
	}
	e := f.last(key)
	if e == nil {
		return f.insert(key, value)
	}
	if e.value == value {
		return nil
	}
	written := write(value, string(f.data[e.from:e.to]))
	if e.from == e.to { // an empty value: blanks behind it would stand before the new one
		return f.splice(afterEquals(f.data, e), e.to, written, key, &value)
	}
	return f.splice(e.from, e.to, written, key, &value)
}

// afterEquals is the offset behind the `=` of an entry with an empty value.
func afterEquals(data []byte, e *entry) int {
	return e.start + bytes.IndexByte(data[e.start:e.end], '=') + 1
}

// Unset removes every line that assigns key: if only the last were removed, an earlier one would count.
func (f *File) Unset(key string) error {
	for e := f.last(key); e != nil; e = f.last(key) {
		if err := f.splice(e.start, e.end, "", key, nil); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) insert(key, value string) error {
	at := f.placeFor(key)
	end := f.lineEnd()
	text := key + "=" + write(value, "") + end
	if at > 0 && f.data[at-1] != '\n' {
		text = end + strings.TrimSuffix(text, end) // the file's last line has no end, and keeps none
	}
	return f.splice(at, at, text, key, &value)
}

// placeFor is the offset behind the last line that has key commented out, or the file's end.
func (f *File) placeFor(key string) int {
	commented := regexp.MustCompile(`(?m)^[ \t]*#[ \t]*` + regexp.QuoteMeta(key) + `=.*(\n|\z)`)
	found := commented.FindAllIndex(f.data, -1)
	for _, span := range slices.Backward(found) {
		if !f.within(span[0]) {
			return span[1]
		}
	}
	return len(f.data)
}

// within is true where an offset is inside an assignment, such as a quoted value of several lines.
func (f *File) within(offset int) bool {
	return slices.ContainsFunc(f.entries, func(e entry) bool { return e.start <= offset && offset < e.end })
}

func (f *File) lineEnd() string {
	if i := bytes.IndexByte(f.data, '\n'); i > 0 && f.data[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// splice replaces data[from:to], reads the result again, and keeps it only if key reads as wanted (nil: one assignment fewer) and all
// other assignments read as before.
func (f *File) splice(from, to int, text, key string, want *string) error {
	after, err := parse(slices.Concat(f.data[:from], []byte(text), f.data[to:]), f.shell)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "%s cannot be edited safely", key)
	}
	got, _ := after.Get(key)
	fewer := len(after.entries) == len(f.entries)-1
	if !slices.Equal(f.others(key), after.others(key)) || (want != nil && got != *want) || (want == nil && !fewer) {
		return fault.New(fault.Refused, "%s cannot be edited safely: read again, the result differs from what was asked for", key)
	}
	*f = *after
	return nil
}

func (f *File) others(key string) []string {
	var out []string
	for _, e := range f.entries {
		if e.key != key {
			out = append(out, fmt.Sprintf("%s=%s", e.key, e.value))
		}
	}
	return out
}

var bareForm = regexp.MustCompile(`^[A-Za-z0-9_./:,=@%+\[\]-]*$`)

// write quotes a value in the style of the one that it replaces, where that is possible.
func write(value, old string) string {
	switch {
	case strings.HasPrefix(old, "'") && !strings.ContainsAny(value, `'\`):
		return "'" + value + "'"
	case !strings.HasPrefix(old, `"`) && bareForm.MatchString(value):
		return value
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", "$", `\$`).Replace(value) + `"`
}
