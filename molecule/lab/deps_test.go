package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestManyHosts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "limit")
	for text, want := range map[string]string{"128\n": "2048", "8192\n": "8192\n"} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := manyHosts(file); err != nil {
			t.Error(err)
		}
		if got, _ := os.ReadFile(file); string(got) != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if err := manyHosts(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("no error about a missing file")
	}
}
