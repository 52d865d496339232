// Package docfragments puts the documentation of the common arguments into the modules' own NAME.yml. These are committed with it, so that
// `go build ./modules/NAME` needs no other step; a test of this package fails where one is out of date.
//
// A NAME.yml says which it has, at the end of its options:
//
//	# fragments: etcd_conf, manifest_dir, data_dir, timeout=3600
//
// A value after "=" is that module's own default. What follows, up to the end of the options, is made from fragments.yml.
package docfragments

import (
	"bytes"
	_ "embed"
	"fmt"
	"regexp"
	"strings"
)

//go:generate go run ./generate ../..

//go:embed fragments.yml
var fragments string

const notice = "    # Made by `go generate ./modules/internal/docfragments`; the text is in fragments.yml there.\n"

var (
	marker       = regexp.MustCompile(`(?m)^    # fragments: (.*)\n`)
	endOfOptions = regexp.MustCompile(`(?m)^(  )?[^ \n]|^\n`)
	defaultLine  = regexp.MustCompile(`(?m)^  default: .*\n`)
)

// Render returns a module's documentation with its fragments up to date. One without the marker is returned as it is.
func Render(doc []byte) ([]byte, error) {
	at := marker.FindSubmatchIndex(doc)
	if at == nil {
		return doc, nil
	}
	rest := doc[at[1]:]
	end := endOfOptions.FindIndex(rest)
	if end == nil {
		return nil, fmt.Errorf("nothing follows the options")
	}
	var out bytes.Buffer
	out.Write(doc[:at[1]])
	out.WriteString(notice)
	for _, each := range strings.Split(string(doc[at[2]:at[3]]), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(each), "=")
		text, err := fragment(name, value)
		if err != nil {
			return nil, err
		}
		out.WriteString(text)
	}
	out.Write(rest[end[0]:])
	return out.Bytes(), nil
}

// fragment is one option, indented as in a NAME.yml.
func fragment(name, byDefault string) (string, error) {
	option := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + `:\n(?:  .*\n)+`)
	text := option.FindString(fragments)
	if text == "" {
		return "", fmt.Errorf("fragments.yml has no %q", name)
	}
	if byDefault != "" {
		if !defaultLine.MatchString(text) {
			return "", fmt.Errorf("%s has no default that could be another one", name)
		}
		text = defaultLine.ReplaceAllLiteralString(text, "  default: "+byDefault+"\n")
	}
	return regexp.MustCompile(`(?m)^`).ReplaceAllLiteralString(strings.TrimSuffix(text, "\n"), "    ") + "\n", nil
}
