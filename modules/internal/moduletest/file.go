package moduletest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Read is a file's content.
func Read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// Entries counts the names in a file's directory: neither a refusal nor check mode leaves a file there.
func Entries(t *testing.T, path string) int {
	t.Helper()
	all, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// Refuses runs a module that edits the file at path. It fails with that kind and those words, and changes nothing.
func Refuses(t *testing.T, path string, args map[string]any, kind, words string) {
	t.Helper()
	before, entries := Read(t, path), Entries(t, path)
	args["path"] = path
	answer := Run(t, args).Failed(t, kind)
	if !strings.Contains(answer.Msg(), words) {
		t.Errorf("want %q, got %q", words, answer.Msg())
	}
	if Read(t, path) != before || Entries(t, path) != entries {
		t.Error("a refusal changed something")
	}
}

// Command is the module with these arguments, to be run by another package.
func Command(t *testing.T, args map[string]any) *exec.Cmd {
	t.Helper()
	raw, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(Binary(t), argsFile(t, raw))
}
