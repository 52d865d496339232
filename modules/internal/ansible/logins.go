package ansible

import (
	"regexp"
	"strings"
)

// authority begins what a URL names, also in JSON that escapes its slashes; bare is a login that has lost its URL's scheme.
var (
	authority = regexp.MustCompile(`//|\\/\\/`)
	bare      = regexp.MustCompile(`[^\s:/@=,"'\\]+:[^\s/@]+@[\w.\[-]+`)
)

// withoutLogins replaces user and password in URLs: etcd's URLs have none, those in other files may. A password may hold any character that a
// URL should not have, so everything up to the last @ of the word goes; the next URL of a list begins at its scheme.
func withoutLogins(text string) string {
	if !strings.Contains(text, "@") {
		return text
	}
	var out strings.Builder
	for rest := text; ; {
		at := authority.FindStringIndex(rest)
		if at == nil {
			out.WriteString(withoutBare(rest))
			return out.String()
		}
		before, word := rest[:at[1]], rest[at[1]:]
		end := len(word)
		if i := strings.IndexAny(word, " \t\r\n"); i >= 0 {
			end = i
		}
		if i := strings.Index(word[:end], "://"); i >= 0 {
			end = i
		}
		out.WriteString(withoutBare(before))
		login := strings.LastIndex(word[:end], "@")
		if login >= 0 {
			out.WriteString("…")
			word = word[login:]
			end -= login
		}
		out.WriteString(word[:end])
		rest = word[end:]
	}
}

// withoutBare spares the digest of an image, IMAGE:TAG@sha256:….
func withoutBare(text string) string {
	return bare.ReplaceAllStringFunc(text, func(found string) string {
		host := found[strings.LastIndex(found, "@"):]
		if host == "@sha256" {
			return found
		}
		return "…" + host
	})
}
