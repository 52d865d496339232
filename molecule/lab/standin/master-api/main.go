// Master-api stands in for the OpenShift 3.11 master API, in what matters to
// etcd's clients. Like the real one it
//
//   - reads etcdClientInfo of master-config.yaml once, when it starts, and keeps
//     ONE client with all URLs: a stale or dead list shows only at the next start;
//   - serves only after a linearizable read without deadline: started while etcd
//     has no quorum it hangs, and serves as soon as there is one;
//   - answers /healthz by dialing the first URL by TCP: "ok" does not prove that
//     etcd works;
//   - answers lists and watches from a cache fed by one watch: after etcd has
//     gone back to an older revision it stays silent until it is restarted, or
//     until the lost revisions have been written again.
//
// It is NOT an API server: no authentication, no Kubernetes objects, no
// compaction. Objects are lines of text under /kubernetes.io/lab/. It serves
// HTTPS with the master's own certificate on servingInfo.bindAddress:
//
//	GET  /healthz              ok, or 500
//	PUT  /objects/NAME         writes the body; answers with the revision
//	GET  /objects/NAME         from etcd, linearizable, as the real one's GET does
//	GET  /cache/NAME           from the watch's cache
//	GET  /watch?after=REVISION lines "REVISION NAME VALUE" from the cache, as they come
//	GET  /info                 URLs, revision of the cache, when it began to serve
package main

import (
	"context"
	"flag"
	"log"
	"net/http"
	"os"
	"path/filepath"
)

func main() {
	path := flag.String("config", "/etc/origin/master/master-config.yaml", "master-config.yaml")
	flag.Parse()
	if err := run(context.Background(), *path); err != nil {
		log.Print(err)
		os.Exit(1)
	}
}

func run(ctx context.Context, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	conf, err := parseConfig(text, filepath.Dir(path))
	if err != nil {
		return err
	}
	client, err := connect(conf.Etcd)
	if err != nil {
		return err
	}
	log.Printf("etcd: %v; waiting for a linearizable read", conf.Etcd.URLs)
	waitForRead(ctx, client)
	c := newCache()
	if err := c.follow(ctx, client); err != nil {
		return err
	}
	log.Printf("serving on %s", conf.Serving.BindAddress)
	s := &server{client: client, cache: c, urls: conf.Etcd.URLs}
	return http.ListenAndServeTLS(conf.Serving.BindAddress, conf.Serving.CertFile, conf.Serving.KeyFile, s.routes())
}
