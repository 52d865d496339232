package ansible

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"unicode"
)

var variable = regexp.MustCompile(`\$(\w+|\{[^}]*\})`)

// expandPath follows AnsibleModule: a variable that is not set stays as it is written, and so does the home of an unknown user. Without them the
// rest would be another path than the one that was typed.
func expandPath(s string) string {
	s = variable.ReplaceAllStringFunc(s, func(found string) string {
		if value, ok := os.LookupEnv(strings.Trim(found, "${}")); ok {
			return value
		}
		return found
	})
	if !strings.HasPrefix(s, "~") {
		return s
	}
	name, rest, _ := strings.Cut(s[1:], "/")
	home, err := homeOf(name)
	if err != nil {
		return s
	}
	return filepath.Join(home, rest)
}

func homeOf(name string) (string, error) {
	if home := os.Getenv("HOME"); name == "" && home != "" {
		return home, nil
	}
	find := user.Current
	if name != "" {
		find = func() (*user.User, error) { return user.Lookup(name) }
	}
	u, err := find()
	if err != nil {
		return "", err
	}
	return u.HomeDir, nil
}

// checkPaths refuses what is no path of the host. A relative path would start at the login's directory, and systemd ignores it in a unit: an
// assertion on it asserts nothing.
func checkPaths(o option, converted any, relative bool) error {
	var paths []any
	switch list, isList := converted.([]any); {
	case o.kind() == "path":
		paths = []any{converted}
	case isList && o.Elements == "path":
		paths = list
	}
	for _, each := range paths {
		path := each.(string)
		if strings.ContainsFunc(path, unicode.IsControl) {
			return fmt.Errorf("expected a path without control characters, got %.200q", path)
		}
		if relative {
			continue
		}
		if err := checkAbsolute(path); err != nil {
			return err
		}
	}
	return nil
}

func checkAbsolute(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("expected an absolute path, got %.200q", path)
	}
	_, err := os.Stat(path)
	for _, never := range []error{syscall.ENAMETOOLONG, syscall.ENOTDIR, syscall.ELOOP} {
		if errors.Is(err, never) {
			return fmt.Errorf("expected the path of a file or directory, got %.200q: %w", path, never)
		}
	}
	return nil
}
