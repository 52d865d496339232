package envfile

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sourced is what a shell reads: like the static pod, by `source` with allexport in a shell that is called as sh. The shell is restricted and
// finds no program, since the fuzzer gives it everything that Parse accepted.
func sourced(t *testing.T, dir string, text []byte, keys []string) map[string]string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "conf"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	script := "set -o allexport; . conf; "
	for _, key := range keys {
		script += fmt.Sprintf("printf '%%s\\0' \"$%s\"; ", key)
	}
	cmd := exec.Command("/bin/bash", "--posix", "-r", "-c", script)
	cmd.Env = []string{"PATH=" + dir}
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil || errors.Len() > 0 {
		t.Fatalf("the shell: %v\n%s\n%q", err, errors.String(), text)
	}
	got := map[string]string{}
	for i, value := range strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if i < len(keys) {
			got[keys[i]] = value
		}
	}
	return got
}

func TestShellReadsTheSame(t *testing.T) {
	dir := t.TempDir()
	for name, tc := range readable {
		t.Run(name, func(t *testing.T) {
			f := mustParse(t, tc.text)
			if diff := cmp.Diff(tc.want, sourced(t, dir, []byte(tc.text), f.Keys())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// taken are names that have a meaning of their own for a shell; a file that sets them is out of scope.
func taken(key string) bool {
	return !strings.HasPrefix(key, "E")
}

func FuzzParse(f *testing.F) {
	dir := f.TempDir()
	for _, tc := range readable {
		f.Add(strings.ReplaceAll(tc.text, "A=", "EA="), "E_NEW", "v w")
	}
	f.Fuzz(func(t *testing.T, text, key, value string) {
		file, err := Parse([]byte(text))
		if err != nil {
			return
		}
		before := file.Bytes()
		if err := file.Set(key, value); err != nil {
			if !bytes.Equal(before, file.Bytes()) {
				t.Fatalf("Set failed and changed the file: %v", err)
			}
			return
		}
		if got, ok := file.Get(key); !ok || got != value {
			t.Fatalf("set to %q, reads %q", value, got)
		}
		for _, key := range file.Keys() {
			if taken(key) {
				return
			}
		}
		if bytes.ContainsRune(file.Bytes(), '\r') {
			return // read as systemd does, see the package's documentation
		}
		if diff := cmp.Diff(values(file), sourced(t, dir, file.Bytes(), file.Keys())); diff != "" {
			t.Fatalf("%q\n%s", file.Bytes(), diff)
		}
	})
}
