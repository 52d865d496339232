// Master-controllers stands in for the OpenShift 3.11 controllers: it knows
// etcd only through the API. It watches from the last revision that it saw and
// goes on from there when the watch breaks, so after etcd has gone back it hears
// nothing until it is restarted. Like the real one it serves on 8444:
//
//	GET /healthz     ok once it has reached the API
//	GET /seen/NAME   the value of an object as last heard
package main

import (
	"bufio"
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// follower is what one run of the controllers has received.
type follower struct {
	mu        sync.Mutex
	seen      map[string]string
	revision  int64
	connected bool
}

func main() {
	api := flag.String("api", "https://localhost:8443", "the API's address")
	listen := flag.String("listen", "0.0.0.0:8444", "where to serve")
	cert := flag.String("cert", "/etc/origin/master/master.server.crt", "certificate")
	key := flag.String("key", "/etc/origin/master/master.server.key", "its key")
	flag.Parse()
	f := &follower{seen: map[string]string{}}
	go f.follow(*api)
	log.Fatal(http.ListenAndServeTLS(*listen, *cert, *key, f.routes()))
}

func (f *follower) routes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if !f.connected {
			http.Error(w, "the API was not reached yet", http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, "ok")
	})
	m.HandleFunc("GET /seen/{name}", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		value, ok := f.seen[r.PathValue("name")]
		if !ok {
			http.Error(w, "not heard of", http.StatusNotFound)
			return
		}
		fmt.Fprintln(w, value)
	})
	return m
}

// follow keeps one watch open for ever.
func (f *follower) follow(api string) {
	// The API's certificate names the host and not localhost.
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	for {
		if err := f.watch(client, api); err != nil {
			log.Printf("watch: %v", err)
		}
		time.Sleep(300 * time.Millisecond)
	}
}

func (f *follower) watch(client *http.Client, api string) error {
	f.mu.Lock()
	after := f.revision
	f.mu.Unlock()
	resp, err := client.Get(fmt.Sprintf("%s/watch?after=%d", api, after))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	f.mu.Lock()
	f.connected = true
	f.mu.Unlock()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		f.hear(lines.Text())
	}
	return lines.Err()
}

// hear handles one line, "REVISION NAME VALUE".
func (f *follower) hear(line string) {
	parts := strings.SplitN(line, " ", 3)
	if len(parts) != 3 {
		log.Printf("not an event: %q", line)
		return
	}
	revision, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		log.Printf("not an event: %q", line)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.revision = max(f.revision, revision)
	f.seen[parts[1]] = parts[2]
}
