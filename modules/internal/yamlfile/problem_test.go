package yamlfile

import (
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// TestProblemQuotesNothing: yaml.v3's own error for each of these texts contains a part of it.
func TestProblemQuotesNothing(t *testing.T) {
	for text, want := range map[string]string{
		"a: *S3CRET":                      "an alias names no anchor",
		"a: &S3CRET [*S3CRET]":            "an alias names no anchor",
		"\nservingInfo: S3CRET":           "line 2: a value has another type",
		"servingInfo: {n: S3CRET}":        "line 1: a value has another type",
		"servingInfo: {n: \"a 'S3CRET\"}": "line 1: a value has another type",
		"a: !!int S3CRET":                 "another type than its tag says",
		"a: !!binary '*S3CRET'":           "!!binary value contains invalid base64 data",
		"a: b\nS3CRET\nb: c":              "line 2: could not find expected ':'",
		"a: [S3CRET":                      "line 1: did not find expected ',' or ']'",
		"a: 'S3CRET":                      "found unexpected end of stream",
		"a: %S3CRET":                      "found character that cannot start any token",
		"a: \"\\S3CRET\"":                 "found unknown escape character",
		"a: S3CRET: b":                    "mapping values are not allowed in this context",
	} {
		var into struct {
			A     any `yaml:"a"`
			Other struct {
				N int `yaml:"n"`
			} `yaml:"servingInfo"`
		}
		err := yaml.Unmarshal([]byte(text), &into)
		if err == nil {
			t.Errorf("%q can be read", text)
			continue
		}
		if got := Problem(err).Error(); strings.Contains(got, "S3CRET") || !strings.Contains(got, want) {
			t.Errorf("%q: %q does not say %q", text, got, want)
		}
	}
}
