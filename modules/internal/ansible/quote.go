package ansible

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// Much of a result comes from others: answers of servers, logs, files. quoted is the one place that makes such text safe for a terminal and for a
// person: no control characters, no line that begins in the middle of another, no megabytes. The caller's own arguments stay as they are, and a
// diff keeps its lines.
func quoted(answer map[string]any) map[string]any {
	out := map[string]any{}
	for key, value := range answer {
		switch key {
		case "invocation":
			out[key] = value
		case "diff":
			out[key] = quotedDiff(value)
		default:
			out[key] = quotedValue(value)
		}
	}
	return out
}

func quotedValue(value any) any {
	switch v := value.(type) {
	case string:
		return quotedText(v)
	case []string:
		out := make([]string, len(v))
		for i, each := range v {
			out[i] = quotedText(each)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, each := range v {
			out[i] = quotedValue(each)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, each := range v {
			out[quotedText(key)] = quotedValue(each)
		}
		return out
	}
	return value
}

func quotedDiff(value any) any {
	list, ok := value.([]Diff)
	if !ok {
		return value
	}
	out := make([]Diff, len(list))
	for i, d := range list {
		out[i] = Diff{Before: quotedLines(d.Before), After: quotedLines(d.After), BeforeHeader: quotedText(d.BeforeHeader), AfterHeader: quotedText(d.AfterHeader)}
	}
	return out
}

func quotedLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = quotedText(lines[i])
	}
	return strings.Join(lines, "\n")
}

// longest is longer than any sentence or value of this project's own.
const longest = 8 << 10

// login is the user and password in a URL: etcd's URLs have none, those in other files may.
var login = regexp.MustCompile(`://[^\s/@"',]*:[^\s/"',]*@`)

// quotedText writes what is not printable as Go does, a line break as " | ", and cuts what is too long.
func quotedText(text string) string {
	cut := ""
	if len(text) > longest {
		cut = fmt.Sprintf("… (%d more bytes)", len(text)-longest)
		text = strings.ToValidUTF8(text[:longest], "")
	}
	text = login.ReplaceAllString(text, "://…@")
	if cut == "" && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return text
	}
	var b strings.Builder
	for _, r := range strings.TrimRight(text, "\r\n") {
		switch {
		case r == '\n':
			b.WriteString(" | ")
		case r == '\t' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r == '\r': // before a line break it says nothing
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String() + cut
}
