package hosttest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/envfile"
)

// spawn starts the etcd stand-in in a session of its own, with only the given environment.
func spawn(root string, env []string) (int, error) { return spawnAs(root, env, "etcd") }

func spawnAs(root string, env []string, program string, args ...string) (int, error) {
	log, err := os.OpenFile(filepath.Join(root, "fake/etcd.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(root, "usr/bin", program), args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	go cmd.Wait() // reaps the child, where the caller lives on
	return cmd.Process.Pid, nil
}

// RealEtcd has this host run that binary instead of the stand-in, until the next New.
func (h *Host) RealEtcd(binary string) {
	h.t.Helper()
	h.must(os.Remove(h.path("usr/bin/etcd")))
	h.must(os.Symlink(binary, h.path("usr/bin/etcd")))
	h.t.Cleanup(func() {
		h.must(os.Remove(h.path("usr/bin/etcd")))
		h.must(os.Symlink(filepath.Join(h.Root, "usr/bin/systemctl"), h.path("usr/bin/etcd")))
	})
}

// environment is that of the unit: EnvironmentFile= wins over Environment=, and its values lose their quotes, as with systemd.
func (h *Host) environment(dropIns []string) []string { return unitEnvironment(h.Root, dropIns) }

func unitEnvironment(root string, settings []string) []string {
	env := append([]string{"PATH=/usr/bin:/bin"}, settings...)
	raw, _ := os.ReadFile(filepath.Join(root, "etc/etcd/etcd.conf"))
	conf, err := envfile.ParseSystemd(raw)
	if err != nil {
		return env
	}
	for _, key := range conf.Keys() {
		value, _ := conf.Get(key)
		env = append(env, key+"="+value)
	}
	return env
}

// etcd is the stand-in: it locks, listens, answers, and ends at SIGTERM.
func etcd(root string, args []string) int {
	if len(args) == 1 && args[0] == "--version" {
		fmt.Println("etcd Version: 3.2.32")
		return 0
	}
	raw, _ := os.ReadFile(filepath.Join(root, "fake/mode"))
	mode := string(raw)
	if mode == Exits {
		return 1
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	dir := filepath.Join(os.Getenv("ETCD_DATA_DIR"), "member")
	if err := hold(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	serve(os.Getenv("ETCD_LISTEN_PEER_URLS"), "/version", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"etcdserver":"3.2.32","etcdcluster":"3.2.0"}`)
	})
	serve(os.Getenv("ETCD_LISTEN_CLIENT_URLS"), "/", func(w http.ResponseWriter, r *http.Request) {
		switch mode {
		case Loops:
			os.Exit(2)
		case NoQuorum:
			<-r.Context().Done()
			return
		}
		io.WriteString(w, `{"health": "true", "etcdserver": "3.2.32"}`)
	})
	for range term {
		if mode != Stubborn {
			return 0
		}
	}
	return 0
}

// hold takes the locks that etcd takes; they end with the process.
func hold(member string) error {
	segments, err := filepath.Glob(filepath.Join(member, "wal", "*.wal"))
	if err != nil {
		return err
	}
	for _, path := range segments {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		lock := unix.Flock_t{Type: unix.F_WRLCK}
		if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock); err != nil {
			return err
		}
		held = append(held, f)
	}
	f, err := os.OpenFile(filepath.Join(member, "snap", "db"), os.O_RDWR, 0)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	held = append(held, f)
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}

var held []*os.File // open for as long as the process lives

func serve(url, path string, answer http.HandlerFunc) {
	l, err := net.Listen("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	mux := http.NewServeMux()
	mux.HandleFunc(path, answer)
	go http.Serve(l, mux)
}
