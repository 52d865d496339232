package yamlfile

import (
	"errors"
	"regexp"
	"strings"
)

var (
	punctuation = regexp.MustCompile(`'[^\pL\pN]'`) // "did not find expected ',' or ']'"
	lineNumber  = regexp.MustCompile(`^(?:unmarshal errors:\s+)?(line \d+): `)
)

// Problem is an error of yaml.v3 without the text of the file that it may quote, which may be a secret: that of a value of an unexpected type, or
// of an alias.
func Problem(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if !strings.ContainsAny(punctuation.ReplaceAllString(text, ""), "'\"`") {
		return errors.New(text)
	}
	if at := lineNumber.FindStringSubmatch(text); at != nil {
		return errors.New(at[1] + ": a value has another type than expected")
	}
	return errors.New("an alias names no anchor, or a value has another type than its tag says")
}
