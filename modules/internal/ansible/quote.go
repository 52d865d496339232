package ansible

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"etcd-quorum-restore/modules/internal/login"
)

// Much of a result comes from others: answers of servers, logs, files. quoted is the one place that makes such text safe for a terminal and for a
// person: no control characters, no line that begins in the middle of another, no megabytes. The caller's own arguments stay as they are, and a
// diff keeps its lines.
func quoted(answer map[string]any) map[string]any {
	out := map[string]any{}
	for key, value := range answer {
		switch key {
		case "invocation":
			out[key] = eachText(value, given)
		case "msg":
			out[key] = eachText(value, sentence)
		case "diff":
			out[key] = quotedDiff(value)
		default:
			out[key] = eachText(value, quotedText)
		}
	}
	return out
}

// eachText is a value with all its texts, keys too, as clean makes them.
func eachText(value any, clean func(string) string) any {
	switch v := value.(type) {
	case string:
		return clean(v)
	case []string:
		out := make([]string, len(v))
		for i, each := range v {
			out[i] = clean(each)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, each := range v {
			out[i] = eachText(each, clean)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, each := range v {
			out[clean(key)] = eachText(each, clean)
		}
		return out
	}
	return value
}

// given is an argument, alone: all that could be a login's goes.
func given(text string) string {
	begin, end := strings.Index(text, "//"), strings.LastIndex(text, "@")
	if begin >= 0 && end > begin && !strings.Contains(text, "\n") {
		return text[:begin+2] + "…" + text[end:]
	}
	return login.Hide(text)
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

// longWord is longer than any word of a sentence, but for a path or a URL that makes no sense.
const longWord = 300

var longWords = regexp.MustCompile(fmt.Sprintf(`\S{%d,}`, longWord+1))

// sentence is text for people: the middle of a word of thousands of bytes says nothing.
func sentence(text string) string {
	return longWords.ReplaceAllStringFunc(quotedText(text), func(word string) string {
		front, back := strings.ToValidUTF8(word[:longWord/2], ""), strings.ToValidUTF8(word[len(word)-longWord/2:], "")
		return fmt.Sprintf("%s…(%d bytes)…%s", front, len(word)-len(front)-len(back), back)
	})
}

// reach is how far behind a cut a login may still end.
const reach = 4 << 10

// unseen is true for what a terminal does not show as it is: a name could look like another one by it, or a line end where it does not. Some such
// characters count as printable, as letters or marks.
func unseen(r rune) bool {
	return !unicode.IsPrint(r) || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) || r == '\u2800'
}

// quotedText writes what is not printable as Go does, a line break as " | ", and cuts what is too long.
func quotedText(text string) string {
	cut := ""
	if more := len(text) - longest; more > 0 {
		cut = fmt.Sprintf("… (%d more bytes)", more)
		text = login.Hide(text[:min(len(text), longest+reach)])
		text = strings.ToValidUTF8(text[:min(len(text), longest)], "")
	}
	text = login.Hide(text)
	if cut == "" && !strings.ContainsFunc(text, unseen) {
		return text
	}
	var b strings.Builder
	for _, r := range strings.TrimRight(text, "\r\n") {
		switch {
		case r == '\n':
			b.WriteString(" | ")
		case r == '\t' || !unseen(r):
			b.WriteRune(r)
		case r == '\r': // before a line break it says nothing
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String() + cut
}
