package moduletest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func badValues(module, option, kind string, choices []string) []any {
	var out []any
	switch kind {
	case "int":
		out = []any{-1, "many", 1.5, []int{1}, json.Number("10000000000000000000")}
		if !strings.HasPrefix(option, "seen_") { // a term or an index may be as large as that
			out = append(out, 9000000000, json.Number("9e9"))
		}
		if option == "timeout" {
			out = append(out, 0)
		}
	case "bool":
		out = []any{"perhaps", 2}
	case "dict":
		out = []any{"no pairs", []int{1}}
	case "list":
		out = []any{map[string]any{"a": 1}}
	case "str":
		out = []any{[]int{1}, map[string]any{"a": 1}}
	case "path":
		out = []any{"relative/x", "./x", "$NO_SUCH_VARIABLE/x", "${NO_SUCH_VARIABLE}/x", "~no-such-user/x", "/a\nb", "/a\x00b", "/" + strings.Repeat("x", 5000),
			"/proc/version/x", map[string]any{"a": 1}}
	}
	if len(choices) > 0 && module != "openshift_master_restart" {
		out = append(out, "no such choice")
	}
	switch option {
	case "etcd_conf":
		out = append(out, "/nonexistent/etcd.conf", "/proc")
	case "manifest_dir":
		if module != "etcd_member" { // etcd_member reads it only where it starts etcd
			out = append(out, "/nonexistent", "/proc/version")
		}
	}
	return out
}

// validArguments are such that each module would act if none of them were replaced by a bad one.
func validArguments(root string) map[string]map[string]any {
	at := func(name string) string { return filepath.Join(root, name) }
	url := "https://127.0.0.1:1"
	return map[string]map[string]any{
		"etcd_backup":              {"dest": at("backup")},
		"etcd_ca":                  {"state": "extended", "ca_dir": at("etc/etcd/ca")},
		"etcd_address":             {"address": "192.0.2.99"},
		"etcd_certificates":        {"state": "requested", "names": "etcd-0.example.com", "ca_dir": at("etc/etcd/ca")},
		"etcd_clients_left":        {"restart": []string{"master-1"}},
		"etcd_cluster_info":        {},
		"etcd_config":              {"path": at("etc/etcd/etcd.conf"), "settings": map[string]any{"ETCD_NAME": "m1"}},
		"etcd_config_backup":       {"dest": at("backup")},
		"etcd_data_dir":            {"state": "set_aside"},
		"etcd_fence":               {},
		"etcd_force_new_cluster":   {},
		"etcd_host_info":           {},
		"etcd_inventory":           {"path": at("hosts"), "host": "etcd-0.example.com", "state": "absent"},
		"etcd_log_info":            {},
		"etcd_member":              {"state": "absent", "name": "m1", "endpoints": url},
		"etcd_new_host":            {"state": "present", "name": "m1", "sibling": map[string]any{"conf": "RVRDRF9OQU1FPW0wCg==", "ca_files": []any{}}},
		"etcd_quorum_plan":         {"hosts": map[string]any{"etcd-0.example.com": map[string]any{"unreachable": true}}},
		"etcd_report":              {"directory": at("reports"), "playbook": "restore_quorum.yml", "state": "planned", "plan": map[string]any{"do": map[string]any{"run": "00ff", "action": "force"}}},
		"etcd_restore":             {"backup": at("backup")},
		"etcd_run_lock":            {"inventory": at("hosts"), "directory": at("locks")},
		"etcd_service":             {"state": "stopped"},
		"flannel_etcd_endpoints":   {"path": at("flanneld"), "urls": url},
		"openshift_etcd_urls":      {"path": at("master-config.yaml"), "urls": url},
		"openshift_master_restart": {"path": at("master-config.yaml"), "command": at("master-restart")},
		"systemd_unit":             {"name": "flanneld.service", "state": "stopped"},
	}
}

// fakeRoot is a host with files that each module would change.
func fakeRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"etc/etcd/etcd.conf":    "ETCD_NAME=m0\n",
		"data/member/snap/db":   "database",
		"data/member/wal/0.wal": "log",
		"pods/other.yaml":       "kind: Pod\n",
		"run/systemd/system/x":  "",
		"usr/bin/journalctl":    "#!/bin/sh\n",
		"usr/bin/systemctl":     "#!/bin/sh\nprintf 'LoadState=loaded\\nActiveState=inactive\\nSubState=dead\\nMainPID=0\\n'\n",
		"backup/keep":           "x",
		"hosts":                 "[etcd]\netcd-0.example.com\n",
		"flanneld":              "FLANNEL_ETCD_ENDPOINTS=https://127.0.0.1:2379\n",
		"master-config.yaml":    "etcdClientInfo:\n  urls: [\"https://127.0.0.1:2379\"]\nservingInfo:\n  bindAddress: 0.0.0.0:8443\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o600)
		if strings.HasPrefix(text, "#!") {
			mode = 0o700
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// snapshot is everything below a directory: mode, size, time and content of each file.
func snapshot(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		out[path] = fmt.Sprint(info.Mode(), info.ModTime().UnixNano())
		if d.Type().IsRegular() && info.Size() < 1<<20 {
			raw, err := os.ReadFile(path)
			out[path] += fmt.Sprintf(" %x", sha256.Sum256(raw))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// buildAll builds every module as for a release, but with a root of its own, and returns the binaries by name.
func buildAll(t *testing.T, root string) map[string]string {
	t.Helper()
	mains, err := filepath.Glob("../../*/main.go")
	if err != nil || len(mains) == 0 {
		t.Fatal(mains, err)
	}
	if err := watch("../.."); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	args := []string{"build", "-tags", "grpcnotrace", "-ldflags", "-s -w -X=etcd-quorum-restore/modules/internal/root.Dir=" + root, "-o", dir + "/"}
	out := map[string]string{}
	for _, main := range mains {
		name := filepath.Base(filepath.Dir(main))
		out[name] = filepath.Join(dir, name)
		args = append(args, filepath.Dir(main))
		if validArguments(root)[name] == nil {
			t.Errorf("%s has no valid arguments in this test", name)
		}
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(slices.Clone(os.Environ()), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	return out
}
