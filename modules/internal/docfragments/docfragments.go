// Package docfragments puts the documentation of the common arguments and results into the modules' own NAME.yml. These are committed with it, so that
// `go build ./modules/NAME` needs no other step; a test of this package fails where one is out of date.
//
// A NAME.yml says which it has, at the end of its options:
//
//	# fragments: etcd_conf, manifest_dir, data_dir, timeout=3600
//
// A value after "=" is that module's own default. What follows, up to the end of the options, is made from fragments.yml. The same at the end of
// RETURN, which is the end of the file.
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

const notice = "# Made by `go generate ./modules/internal/docfragments`; the text is in fragments.yml there.\n"

// place is where a module's documentation says which fragments it has.
type place struct {
	indent string
	marker *regexp.Regexp
	end    *regexp.Regexp // of what is made
}

var (
	options     = place{"    ", regexp.MustCompile(`(?m)^    # fragments: (.*)\n`), regexp.MustCompile(`(?m)^(  )?[^ \n]|^\n`)}
	results     = place{"  ", regexp.MustCompile(`(?m)^  # fragments: (.*)\n`), regexp.MustCompile(`\z`)}
	defaultLine = regexp.MustCompile(`(?m)^  default: .*\n`)
)

// Render returns a module's documentation with its fragments up to date. One without the marker is returned as it is.
func Render(doc []byte) ([]byte, error) {
	doc, err := options.render(doc)
	if err != nil {
		return nil, err
	}
	return results.render(doc)
}

func (p place) render(doc []byte) ([]byte, error) {
	at := p.marker.FindSubmatchIndex(doc)
	if at == nil {
		return doc, nil
	}
	rest := doc[at[1]:]
	end := p.end.FindIndex(rest)
	if end == nil {
		return nil, fmt.Errorf("nothing follows the options")
	}
	var out bytes.Buffer
	out.Write(doc[:at[1]])
	out.WriteString(p.indent + notice)
	for _, each := range strings.Split(string(doc[at[2]:at[3]]), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(each), "=")
		text, err := fragment(name, value, p.indent)
		if err != nil {
			return nil, err
		}
		out.WriteString(text)
	}
	out.Write(rest[end[0]:])
	return out.Bytes(), nil
}

// fragment is one option or result, indented as in a NAME.yml.
func fragment(name, byDefault, indent string) (string, error) {
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
	return regexp.MustCompile(`(?m)^`).ReplaceAllLiteralString(strings.TrimSuffix(text, "\n"), indent) + "\n", nil
}
