// Package login keeps users and passwords that somebody put into URLs out of what modules print. etcd's URLs have none; those in other files may.
package login

import (
	"regexp"
	"strings"
	"unicode"
)

// host is no number: the copy of an edited file is called FILE.PID.2026-01-31@09:30:00~.
const host = `(?:[\w.-]*[A-Za-z.][\w.-]*|\[[0-9A-Fa-f:.]+\])`

var (
	// authority begins what a URL names, also in JSON that escapes its slashes.
	authority = regexp.MustCompile(`//|\\/\\/`)
	// bare is a login that has lost its URL's scheme, and piece the end of one, which a comma or a blank has cut off.
	bare  = regexp.MustCompile(`[^\s:/@=,"'\\]+:[^\s/@]+@[\w.\[-]+`)
	piece = regexp.MustCompile(`[^\s"'=,;(<\\]+@` + host + `:\d+`)
	// front is a host with something else than a port: a login whose end was cut off. The words of a form, HOST:PORT, are none.
	front = regexp.MustCompile(`^(?:\[[^\]\s]*\]|[^\s/:@"',\\\[]*):(\d*[\pL_!$*+~^=-][^\s"',\\]*)`)
	words = regexp.MustCompile(`^[A-Z]+$`)
	// elsewhere is the end of a login with blanks in it; certain is one that no sentence has: with a port, before a quotation mark, or as the last word
	// of two.
	elsewhere = regexp.MustCompile(`^[^\n]*@[\w.\[-]`)
	certain   = regexp.MustCompile(`^[^\n]*@` + host + `:\d|^[^\n"]*@` + host + `\\*"|^\s\S*@` + host + `$`)
)

// furthest is how far behind a blank a login may still end.
const furthest = 200

// Hide replaces user and password in URLs. A password may hold any character that a URL should not have, so everything up to the last @ goes; the
// next URL of a list begins at its scheme.
func Hide(text string) string {
	var out strings.Builder
	for rest := text; ; {
		at := authority.FindStringIndex(rest)
		if at == nil {
			out.WriteString(hideBare(rest))
			return out.String()
		}
		before, after := rest[:at[1]], rest[at[1]:]
		out.WriteString(hideBare(before))
		span, _, _ := strings.Cut(after, "://")
		if end := ending(span); end > 0 {
			out.WriteString("…")
			span, after = span[end:], after[end:]
		}
		word := firstWord(span)
		out.WriteString(hideFront(rest[:at[0]], word))
		rest = after[len(word):]
	}
}

// ending is where the login ends that a URL's text begins with, at its last @; 0 where it begins with none.
func ending(span string) int {
	word := firstWord(span)
	if i := strings.LastIndexByte(word, '@'); i >= 0 || len(word) == len(span) {
		return max(i, 0)
	}
	ends := certain
	if frontOf(word) != nil {
		ends = elsewhere
	}
	behind := span[len(word):min(len(span), len(word)+furthest)]
	if i := strings.LastIndexByte(ends.FindString(behind), '@'); i >= 0 {
		return len(word) + i
	}
	return 0
}

func firstWord(text string) string {
	if i := strings.IndexFunc(text, unicode.IsSpace); i >= 0 {
		return text[:i]
	}
	return text
}

// frontOf is where that which is no port begins and ends.
func frontOf(word string) []int {
	m := front.FindStringSubmatchIndex(word)
	if m == nil || words.MatchString(word[m[2]:m[3]]) {
		return nil
	}
	return m[2:]
}

func hideFront(before, word string) string {
	m := frontOf(word)
	if m == nil || !strings.HasSuffix(before, ":") {
		return word
	}
	return word[:m[0]] + "…" + word[m[1]:]
}

// hideBare spares the digest of an image, IMAGE:TAG@sha256:….
func hideBare(text string) string {
	if !strings.Contains(text, "@") {
		return text
	}
	for _, login := range []*regexp.Regexp{bare, piece} {
		text = login.ReplaceAllStringFunc(text, func(found string) string {
			end := found[strings.LastIndexByte(found, '@'):]
			if strings.HasPrefix(end, "@sha256") {
				return found
			}
			return "…" + end
		})
	}
	return text
}

// Split is strings.Split at commas, but for those of a login: a piece of it, alone, would be taken for a name or a host, and shown.
func Split(text string) []string {
	var out []string
	open := -1 // the part that may begin a login
	for _, part := range strings.Split(text, ",") {
		out = append(out, part)
		switch {
		case strings.Contains(part, "//"):
			open = len(out) - 1
		case open >= 0 && strings.Contains(part, "@"):
			out = append(out[:open], strings.Join(out[open:], ","))
		}
	}
	return out
}
