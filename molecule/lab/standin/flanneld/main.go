// Flanneld stands in for flannel: it takes its endpoints from its command line,
// which the unit fills from /etc/sysconfig/flanneld at the start, and reads and
// watches PREFIX/config in etcd's v2 store, trying the endpoints in turn. So a
// wrong or stale FLANNEL_ETCD_ENDPOINTS, or a lost v2 store, shows. It sets up no
// network. It writes what it has read to /run/flannel/subnet.env, and when and
// through which endpoint to /run/flannel/source.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const runDir = "/run/flannel"

func main() {
	endpoints := flag.String("etcd-endpoints", "", "comma-separated")
	prefix := flag.String("etcd-prefix", "/coreos.com/network", "v2 directory")
	ca := flag.String("etcd-cafile", "", "authority")
	cert := flag.String("etcd-certfile", "", "client certificate")
	key := flag.String("etcd-keyfile", "", "its key")
	flag.String("iface", "", "ignored")
	flag.Parse()
	client, err := newClient(*ca, *cert, *key)
	if err != nil {
		log.Fatal(err)
	}
	follow(client, strings.Split(*endpoints, ","), *prefix+"/config")
}

func newClient(caFile, certFile, keyFile string) (*http.Client, error) {
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	conf := &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{cert}}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: conf}}, nil
}

// follow reads the network's configuration, then waits for its next change,
// for ever.
func follow(client *http.Client, endpoints []string, key string) {
	for i := 0; ; i++ {
		endpoint := endpoints[i%len(endpoints)]
		index, err := read(client, endpoint, key)
		for err == nil {
			index, err = wait(client, endpoint, key, index)
		}
		log.Printf("%s: %v", endpoint, err)
		time.Sleep(time.Second)
	}
}

// answer is what etcd's v2 API says of one key.
type answer struct {
	Node struct {
		Value         string
		ModifiedIndex uint64
	}
	Message string
}

// read is a quorum read: a member that lost the cluster must not answer.
func read(client *http.Client, endpoint, key string) (uint64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	a, err := get(ctx, client, endpoint+"/v2/keys"+key+"?quorum=true")
	if err != nil {
		return 0, err
	}
	return a.Node.ModifiedIndex, save(endpoint, a)
}

// wait returns at the next change, or without one after a minute.
func wait(client *http.Client, endpoint, key string, index uint64) (uint64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	a, err := get(ctx, client, fmt.Sprintf("%s/v2/keys%s?wait=true&waitIndex=%d", endpoint, key, index+1))
	if errors.Is(err, context.DeadlineExceeded) {
		return read(client, endpoint, key)
	}
	if err != nil {
		return 0, err
	}
	return a.Node.ModifiedIndex, save(endpoint, a)
}

func get(ctx context.Context, client *http.Client, url string) (a answer, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return a, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return a, fmt.Errorf("%s: %w", resp.Status, err)
	}
	if resp.StatusCode != http.StatusOK {
		return a, fmt.Errorf("%s: %s", resp.Status, a.Message)
	}
	return a, nil
}

// save renames into place, so that a reader never sees half of it.
func save(endpoint string, a answer) error {
	var network struct{ Network string }
	if err := json.Unmarshal([]byte(a.Node.Value), &network); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	log.Printf("%s: network %s, index %d", endpoint, network.Network, a.Node.ModifiedIndex)
	err := os.MkdirAll(runDir, 0o755)
	err = errors.Join(err, replace("subnet.env", "FLANNEL_NETWORK="+network.Network+"\n"))
	return errors.Join(err, replace("source", fmt.Sprintf("%s %d %d\n", endpoint, a.Node.ModifiedIndex, time.Now().UnixNano())))
}

func replace(name, text string) error {
	file := filepath.Join(runDir, name)
	if err := os.WriteFile(file+".new", []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
