package masters

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/fault"
)

func TestComponents(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master-config.yaml")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("servingInfo:\n  bindAddress: 0.0.0.0:8443\n")
	got, err := Components(path, []string{"controllers", "api"})
	if diff := cmp.Diff([]Component{{"api", 8443}, {"controllers", 8444}}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for _, text := range []string{"servingInfo: {}\n", "etcdClientInfo: {}\n", "servingInfo:\n  bindAddress: \"\"\n"} {
		write(text)
		got, err := Components(path, []string{"api"})
		if diff := cmp.Diff([]Component{{"api", 8443}}, got); err != nil || diff != "" {
			t.Errorf("%q, where the master has its default: %v %s", text, err, diff)
		}
	}
	for _, text := range []string{"servingInfo:\n  bindAddress: host\n", "servingInfo:\n  bindAddress: :0\n", "a: [\n"} {
		write(text)
		if _, err := Components(path, []string{"api"}); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v", text, err)
		}
	}
	write("oauthConfig:\n  secret: x\nservingInfo: the secret\n")
	if _, err := Components(path, []string{"api"}); err == nil || strings.Contains(err.Error(), "the secret") || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("a value of the file is in the error, or its line is not: %v", err)
	}
	if _, err := Components(path+"x", []string{"api"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("no such file: %v", err)
	}
	if got, err := Components(path+"x", []string{"controllers"}); err != nil || len(got) != 1 {
		t.Errorf("the controllers' port needs no file: %v, %v", got, err)
	}
}

// server is a component: each start is a new socket on the same port.
type server struct {
	t    *testing.T
	addr string
	web  *httptest.Server
}

func (s *server) start(health string) {
	s.t.Helper()
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		s.t.Error(err)
		return
	}
	s.addr = l.Addr().String()
	s.web = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(health)) }))
	s.web.Listener.Close()
	s.web.Listener = l
	s.web.StartTLS()
}

func (s *server) component() Component {
	addr, err := net.ResolveTCPAddr("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	return Component{Name: "api", Port: uint16(addr.Port)}
}

// command writes a program that leaves a mark, and returns it with a channel that reports the mark.
func command(t *testing.T) (path string, called chan struct{}) {
	t.Helper()
	dir := t.TempDir()
	path, mark := filepath.Join(dir, "master-restart"), filepath.Join(dir, "mark")
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho $1 >"+mark+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	called = make(chan struct{})
	go func() {
		for {
			if raw, err := os.ReadFile(mark); err == nil && string(raw) == "api\n" {
				close(called)
				return
			}
			select {
			case <-t.Context().Done():
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	return path, called
}

func TestRestartNeedsANewSocketAndHealth(t *testing.T) {
	s := &server{t: t, addr: "127.0.0.1:0"}
	s.start("ok")
	path, called := command(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-called
		s.web.Close()
		s.start("ok")
	}()
	got, err := Restart(t.Context(), path, s.component())
	<-done
	defer s.web.Close()
	if err != nil || got.Health != "ok" || !got.Was {
		t.Errorf("%+v, %v", got, err)
	}
}

// While the API is down, any user's process may have its port: it must not redirect root's request.
func TestHostileRedirect(t *testing.T) {
	asked := make(chan struct{}, 1)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{} }))
	defer elsewhere.Close()
	s := &server{t: t, addr: "127.0.0.1:0"}
	s.start("ok")
	defer s.web.Close()
	s.web.Config.Handler = http.RedirectHandler(elsewhere.URL, http.StatusFound)
	if health := s.component().Health(t.Context()); len(asked) > 0 || health == "ok" {
		t.Errorf("it went there, and says %q", health)
	}
}

func TestRestartIsNotFooledByTheOldProcess(t *testing.T) {
	s := &server{t: t, addr: "127.0.0.1:0"}
	s.start("ok")
	defer s.web.Close()
	path, _ := command(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := Restart(ctx, path, s.component())
	if fault.KindOf(err) != fault.Timeout || !strings.Contains(err.Error(), "the old process still listens") {
		t.Errorf("%v", err)
	}
}

func TestRestartReportsAnUnhealthyProcess(t *testing.T) {
	s := &server{t: t, addr: "127.0.0.1:0"}
	s.start("ok")
	c := s.component()
	s.web.Close()
	path, called := command(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-called
		s.start("poststarthook failed")
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	got, err := Restart(ctx, path, c)
	<-done
	defer s.web.Close()
	if fault.KindOf(err) != fault.Timeout || got.Was || !strings.Contains(err.Error(), "poststarthook failed") {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRestartWithoutTheCommand(t *testing.T) {
	_, err := Restart(t.Context(), "/nowhere/master-restart", Component{"api", 1})
	if fault.KindOf(err) != fault.Unsupported {
		t.Errorf("%v", err)
	}
}

// A command that does not return is no bug, and no failure of the machine.
func TestHostileCommandHangs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master-restart")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexec sleep 600\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := Restart(ctx, path, Component{"api", 1})
	if fault.KindOf(err) != fault.Timeout || err.Error() != path+" api did not return in time" || !strings.Contains(fault.HintOf(err), "docker ps") {
		t.Errorf("%s, %v (hint: %s)", fault.KindOf(err), err, fault.HintOf(err))
	}
}

// A command that prints without an end takes no memory, and its error is short.
func TestHostileCommand(t *testing.T) {
	command := filepath.Join(t.TempDir(), "master-restart")
	if err := os.WriteFile(command, []byte("#!/bin/sh\nhead -c 50000000 /dev/zero | tr '\\0' x\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), command, "api"); err == nil || len(err.Error()) > 5000 {
		t.Errorf("%.100v", err)
	}
}
