package manifest

import (
	"strings"
	"testing"
)

// An error about a manifest never quotes it: its env and its commands may hold secrets, and a value in a wrong place may be any of them.
func TestNoTextOfTheManifest(t *testing.T) {
	for _, text := range []string{"kind: Pod\nspec: S3CRET\n", "kind: Pod\nspec:\n  containers: S3CRET\n", "kind: Pod\nspec:\n  terminationGracePeriodSeconds: S3CRET\n",
		"kind: Pod\nspec:\n  volumes:\n  - S3CRET\n", "kind: S3CRET\n", "S3CRET: 1\nS3CRET: 2\n", "kind: Pod\nspec: *S3CRET\n"} {
		if _, err := Parse([]byte(text)); err == nil || strings.Contains(err.Error(), "S3CRET") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
