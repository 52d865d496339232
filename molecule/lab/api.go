package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

var apiActions = map[string]action{
	"put":      (*Lab).apiPut,
	"get":      (*Lab).apiGet,
	"cached":   (*Lab).apiCached,
	"check":    (*Lab).apiCheck,
	"info":     (*Lab).apiInfo,
	"restarts": (*Lab).apiRestarts,
}

// apiCall calls a master's stand-in; port 8443 is the API, 8444 the controllers.
// It does not check the certificate, which is the master's own.
func apiCall(ctx context.Context, method string, h Host, port int, path, body string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 6*time.Second)
	defer cancel()
	url := fmt.Sprintf("https://%s:%d%s", h.IP, port, path)
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
	}}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	text := strings.TrimSpace(string(answer))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %s", method, url, resp.Status, text)
	}
	return text, err
}

// waitAPI waits until a master's API and controllers serve.
func waitAPI(ctx context.Context, h Host) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return errors.Join(heard(ctx, h, 8443, "/healthz", "ok"), heard(ctx, h, 8444, "/healthz", "ok"))
}

func (l *Lab) masters() []Host { return where(l.Hosts, func(h Host) bool { return h.Master }) }

// oneMaster takes --host and the positional arguments that follow.
func (l *Lab) oneMaster(args []string, positional int, form string) (Host, []string, error) {
	f := flag.NewFlagSet("api", flag.ContinueOnError)
	name := f.String("host", "", "master; default: the first")
	if err := f.Parse(args); err != nil {
		return Host{}, nil, err
	}
	masters := l.masters()
	if *name != "" {
		picked, err := pick(masters, []string{*name})
		if err != nil {
			return Host{}, nil, err
		}
		masters = picked
	}
	if len(masters) == 0 {
		return Host{}, nil, errors.New("this lab has no master")
	}
	if f.NArg() != positional {
		return Host{}, nil, errors.New("usage: lab api " + form)
	}
	return masters[0], f.Args(), nil
}

func (l *Lab) apiPut(ctx context.Context, args []string) error {
	h, rest, err := l.oneMaster(args, 2, "put NAME [--host MASTER] OBJECT VALUE")
	if err != nil {
		return err
	}
	return printed(apiCall(ctx, http.MethodPut, h, 8443, "/objects/"+rest[0], rest[1]))
}

func (l *Lab) apiGet(ctx context.Context, args []string) error {
	h, rest, err := l.oneMaster(args, 1, "get NAME [--host MASTER] OBJECT")
	if err != nil {
		return err
	}
	return printed(apiCall(ctx, http.MethodGet, h, 8443, "/objects/"+rest[0], ""))
}

func (l *Lab) apiCached(ctx context.Context, args []string) error {
	h, rest, err := l.oneMaster(args, 1, "cached NAME [--host MASTER] OBJECT")
	if err != nil {
		return err
	}
	return printed(apiCall(ctx, http.MethodGet, h, 8443, "/cache/"+rest[0], ""))
}

func (l *Lab) apiInfo(ctx context.Context, args []string) error {
	h, _, err := l.oneMaster(args, 0, "info NAME [--host MASTER]")
	if err != nil {
		return err
	}
	return printed(apiCall(ctx, http.MethodGet, h, 8443, "/info", ""))
}

func printed(text string, err error) error {
	if err == nil {
		fmt.Println(text)
	}
	return err
}

// apiRestarts prints what master-restart was called for: TIME HOST COMPONENT,
// in order of time over all masters.
func (l *Lab) apiRestarts(ctx context.Context, _ []string) error {
	var lines []string
	for _, h := range l.masters() {
		out, err := podman(ctx, "exec", l.container(h), "sh", "-c", "cat /var/log/lab-master-restart.log 2>/dev/null; true")
		if err != nil {
			return err
		}
		for line := range strings.Lines(out) {
			if at, component, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
				lines = append(lines, at+" "+h.Short()+" "+component)
			}
		}
	}
	fmt.Print(joinSorted(lines))
	return nil
}

// apiCheck writes one object through each master and waits until the caches of
// all masters, and their controllers, have it: that is what a user needs of an
// API after a recovery, and what /healthz does not show.
func (l *Lab) apiCheck(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("check", flag.ContinueOnError)
	timeout := f.Duration("timeout", 20*time.Second, "limit")
	names := f.String("hosts", "", "masters (a,b); default: all")
	if err := f.Parse(args); err != nil {
		return err
	}
	masters := l.masters()
	if *names != "" {
		var err error
		if masters, err = pick(masters, strings.Split(*names, ",")); err != nil {
			return err
		}
	}
	if len(masters) == 0 {
		return errors.New("this lab has no master")
	}
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	return each(masters, func(h Host) error { return l.checkThrough(ctx, h, masters) })
}

func (l *Lab) checkThrough(ctx context.Context, h Host, masters []Host) error {
	stamp := fmt.Sprint(time.Now().UnixNano())
	name := "check-" + h.Short()
	// Repeated: an API that has just been restarted may not serve yet.
	err := poll(ctx, func() error {
		_, err := apiCall(ctx, http.MethodPut, h, 8443, "/objects/"+name, stamp)
		return err
	})
	if err != nil {
		return err
	}
	for _, m := range masters {
		if err := heard(ctx, m, 8443, "/cache/"+name, stamp); err != nil {
			return fmt.Errorf("written through %s, but the cache of %s: %w", h.Short(), m.Short(), err)
		}
		if err := heard(ctx, m, 8444, "/seen/"+name, stamp); err != nil {
			return fmt.Errorf("written through %s, but the controllers of %s: %w", h.Short(), m.Short(), err)
		}
	}
	fmt.Printf("%-10s writes; all %d caches and controllers heard of it\n", h.Short(), len(masters))
	return nil
}

func heard(ctx context.Context, h Host, port int, path, want string) error {
	return poll(ctx, func() error {
		got, err := apiCall(ctx, http.MethodGet, h, port, path, "")
		if err == nil && got != want {
			err = fmt.Errorf("has %q, want %q", got, want)
		}
		return err
	})
}
