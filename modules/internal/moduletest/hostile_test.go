package moduletest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// matrix counts, for every module and each kind of bad input, what was tried and what behaved.
type matrix struct {
	t        *testing.T
	root     string
	binaries map[string]string
	options  map[string]map[string]string // of each module: type by name
	slow     time.Duration                // what this machine adds to a run

	lock  sync.Mutex
	cells map[string]*[3]cell
}

type cell struct{ tried, behaved int }

// Columns.
const (
	badArgument = iota
	badFile
	badServer
)

// limit is the timeout that each module gets, in seconds.
const limit = 2

// TestHostileMatrix gives every module bad arguments, bad files and bad servers. In every case a module ends within its timeout plus 2 s, with
// one JSON object, in little memory; it says what is wrong, and changes nothing. With -v the table is printed.
func TestHostileMatrix(t *testing.T) {
	m := newMatrix(t)
	for _, part := range []struct {
		name string
		try  func()
	}{{"arguments", m.arguments}, {"places", m.places}, {"named", m.named}, {"servers", m.servers}} {
		t.Run(part.name, func(t *testing.T) {
			m.t = t
			part.try()
		})
	}
	t.Log("\n" + m.table())
}

// turn tells whether the ith of n bad inputs is tried: `make test-hostile` tries all of them, other runs one for each module and place.
func turn(i, n int, words ...string) bool {
	sum := 0
	for _, b := range []byte(strings.Join(words, " ")) {
		sum += int(b)
	}
	return os.Getenv("HOSTILE") == "all" || sum%n == i
}

func newMatrix(t *testing.T) *matrix {
	root := fakeRoot(t)
	m := &matrix{t: t, root: root, binaries: buildAll(t, root), options: map[string]map[string]string{}, cells: map[string]*[3]cell{}}
	for name, binary := range m.binaries {
		m.cells[name] = &[3]cell{}
		m.slow = max(m.slow, 10*execute(t, binary, []string{"--version"}).Took)
	}
	return m
}

func (m *matrix) table() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%-26s  %17s  %17s  %17s\n", "module: tried, behaved", "bad arguments", "bad files", "bad servers")
	var sum [3]cell
	row := func(name string, cells [3]cell) {
		fmt.Fprintf(&out, "%-26s", name)
		for _, c := range cells {
			fmt.Fprintf(&out, "  %8d %8d", c.tried, c.behaved)
		}
		if why := speechless[name]; why != "" {
			fmt.Fprint(&out, "  ", why)
		}
		fmt.Fprintln(&out)
	}
	for _, name := range slices.Sorted(maps.Keys(m.cells)) {
		row(name, *m.cells[name])
		for i, c := range m.cells[name] {
			sum[i].tried, sum[i].behaved = sum[i].tried+c.tried, sum[i].behaved+c.behaved
		}
	}
	row("all", sum)
	return out.String()
}

// try runs a module once. If names is set, the input is a bad argument, and the message has to name it.
func (m *matrix) try(column int, module, what, names string, args any) {
	m.t.Helper()
	raw, isRaw := args.([]byte)
	if !isRaw {
		var err error
		if raw, err = json.Marshal(args); err != nil {
			m.t.Fatal(err)
		}
	}
	wrong := m.judge(execute(m.t, m.binaries[module], []string{argsFile(m.t, raw)}), names)
	m.lock.Lock()
	defer m.lock.Unlock()
	c := &m.cells[module][column]
	c.tried++
	if wrong == "" {
		c.behaved++
		return
	}
	m.t.Errorf("%s, %.200s: %s", module, what, wrong)
}

// judge says what is wrong with an answer.
func (m *matrix) judge(a Answer, names string) string {
	d := json.NewDecoder(strings.NewReader(a.Stdout))
	said := fmt.Sprintf("%.600s", a.Stdout)
	if err := d.Decode(&a.JSON); err != nil || d.More() {
		return fmt.Sprintf("not one JSON object: %s, stderr: %.600s", said, a.Stderr)
	}
	failed, _ := a.JSON["failed"].(bool)
	kinds := []string{"invalid", "refused", "unreachable", "timeout", "corrupt", "unsupported"}
	switch kind, _ := a.JSON["kind"].(string); {
	case failed != (a.Code == 1) || a.Code > 1:
		return fmt.Sprintf("exit status %d: %s", a.Code, said)
	case a.Took > limit*time.Second+2*time.Second+m.slow:
		return fmt.Sprintf("it took %v: %s", a.Took, said)
	case a.PeakMB > mostMB:
		return fmt.Sprintf("it took %d MB", a.PeakMB)
	case names != "" && (!failed || kind != "invalid" || !strings.Contains(a.Msg(), names)):
		return fmt.Sprintf("expected kind invalid, and a message that names %s: %s", names, said)
	case failed && (!slices.Contains(kinds, kind) || a.Msg() == "" || len(a.Msg()) > 1000):
		return "expected a kind that says whose fault it is, and a sentence: " + said
	case failed && a.JSON["changed"] == true:
		return "it failed, and says that it changed something: " + said
	case strings.ContainsFunc(a.Msg(), func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "control characters of others: " + said
	}
	return ""
}

// unchanged counts a change on disk against the last run's module.
func (m *matrix) unchanged(column int, module, what string, before map[string]string) {
	m.t.Helper()
	after := snapshot(m.t, m.root)
	if maps.Equal(before, after) {
		return
	}
	m.cells[module][column].behaved--
	for path := range before {
		if before[path] != after[path] {
			m.t.Errorf("%s, %s: %s has changed: %s, %s", module, what, path, before[path], after[path])
		}
	}
	for path := range after {
		if before[path] == "" {
			m.t.Errorf("%s, %s: %s is new", module, what, path)
		}
	}
}

// valid are a module's arguments, such that it would act if none of them were replaced by a bad one.
func (m *matrix) valid(module string) map[string]any {
	args := maps.Clone(validArguments(m.root)[module])
	for option, place := range map[string]string{"etcd_conf": "etc/etcd/etcd.conf", "manifest_dir": "pods", "data_dir": "data"} {
		if m.types(module)[option] != "" {
			args[option] = filepath.Join(m.root, place)
		}
	}
	if m.types(module)["timeout"] != "" {
		args["timeout"] = limit
	}
	return args
}

func (m *matrix) types(module string) map[string]string {
	if m.options[module] == nil {
		m.options[module] = map[string]string{}
		for option, o := range m.documentation(module).Documentation.Options {
			m.options[module][option] = o.Type
		}
	}
	return m.options[module]
}

func (m *matrix) documentation(module string) sidecar {
	raw, err := os.ReadFile(filepath.Join("../..", module, module+".yml"))
	if err != nil {
		m.t.Fatal(err)
	}
	return read(m.t, raw)
}

// with is args with one argument set.
func with(args map[string]any, option string, value any) map[string]any {
	out := maps.Clone(args)
	out[option] = value
	return out
}

// arguments gives each argument of each module, among valid ones, values that it must not accept; and whole files that are no arguments.
func (m *matrix) arguments() {
	long := strings.Repeat("A", 1<<20)
	for module := range m.binaries {
		before, valid := snapshot(m.t, m.root), m.valid(module)
		for text, raw := range map[string][]byte{"no JSON": []byte("host=a state=b"), "empty": {}, "a list": []byte("[1]"), "a MB": []byte(long), "cut": []byte(`{"timeout":`),
			"two": []byte("{}{}"), "NUL": {0}} {
			m.try(badArgument, module, text, "argument", raw)
		}
		m.try(badArgument, module, "unknown", "no_such_argument", with(valid, "no_such_argument", "x"))
		for option, o := range m.documentation(module).Documentation.Options {
			for _, value := range badValues(module, option, o.Type, o.Choices) {
				m.try(badArgument, module, fmt.Sprintf("%s=%.60q", option, fmt.Sprint(value)), option, with(valid, option, value))
			}
			if o.Type != "str" || len(o.Choices) > 0 {
				continue
			}
			for what, text := range map[string]string{"NUL": "a\x00b", "a MB": long} {
				m.try(badArgument, module, option+" "+what, option, with(valid, option, text))
			}
			for what, text := range map[string]string{"empty": "", "lines": "a\nb\x1b[2J"} { // some of them may be these
				m.try(badArgument, module, option+" "+what, "", with(with(valid, option, text), "_ansible_check_mode", true))
			}
		}
		m.unchanged(badArgument, module, "arguments", before)
	}
}

// badFiles are what a hostile owner of a directory can put in the place of a file.
var badFiles = map[string]func(path string) error{
	"pipe":      func(path string) error { return unix.Mkfifo(path, 0o666) },
	"zero":      func(path string) error { return os.Symlink("/dev/zero", path) },
	"loop":      func(path string) error { return os.Symlink(path, path) },
	"directory": func(path string) error { return os.Mkdir(path, 0o755) },
	"garbage":   func(path string) error { return os.WriteFile(path, []byte("\x00\xff\x1b[2J{]\n: =\n"), 0o644) },
	"empty":     func(path string) error { return os.WriteFile(path, nil, 0o644) },
	"sparse": func(path string) error {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			return err
		}
		return os.Truncate(path, 1<<30)
	},
}

// places puts bad files where a host of etcd has its own. In check mode, since a module might act all the same.
func (m *matrix) places() {
	for _, place := range []string{"etc/etcd/etcd.conf", "etc/etcd/fenced.json", "etc/etcd/forcing.json", "etc/etcd/restoring.json", "etc/etcd/ca.crt", "data/member",
		"data/member/snap/db", "data/member/snap/0000000000000001-0000000000000001.snap", "data/member/wal/0000000000000000-0000000000000000.wal",
		"pods/etcd.yaml", "backup/etcd/backup.json", "master-config.yaml", "flanneld", "hosts"} {
		for i, kind := range slices.Sorted(maps.Keys(badFiles)) {
			put := badFiles[kind]
			path, aside := filepath.Join(m.root, place), filepath.Join(m.t.TempDir(), "aside")
			must(m.t, os.MkdirAll(filepath.Dir(path), 0o755))
			moved := os.Rename(path, aside) == nil
			must(m.t, put(path))
			for module := range m.binaries {
				if m.types(module)["etcd_conf"] == "" && m.types(module)["path"] == "" || !turn(i, len(badFiles), place, module) {
					continue
				}
				before := snapshot(m.t, m.root)
				what := place + " is " + kind
				m.try(badFile, module, what, "", with(m.valid(module), "_ansible_check_mode", true))
				m.unchanged(badFile, module, what, before)
			}
			must(m.t, os.RemoveAll(path))
			if moved {
				must(m.t, os.Rename(aside, path))
			}
		}
	}
}

// named lets each argument that is a path name something bad.
func (m *matrix) named() {
	dir := m.t.TempDir()
	for kind, put := range badFiles {
		must(m.t, put(filepath.Join(dir, kind)))
	}
	for module := range m.binaries {
		before := snapshot(m.t, m.root)
		for option, kind := range m.types(module) {
			if kind != "path" {
				continue
			}
			for i, bad := range slices.Sorted(maps.Keys(badFiles)) {
				if !turn(i, len(badFiles), option, module) {
					continue
				}
				args := with(m.valid(module), option, filepath.Join(dir, bad))
				m.try(badFile, module, option+" is "+bad, "", with(args, "_ansible_check_mode", true))
			}
		}
		m.unchanged(badFile, module, "named", before)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
