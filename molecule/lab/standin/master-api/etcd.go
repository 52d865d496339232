package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"os"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// prefix is where objects are, below OpenShift's kubernetesStoragePrefix.
const prefix = "/kubernetes.io/lab/"

func connect(e etcdInfo) (*clientv3.Client, error) {
	ca, err := os.ReadFile(e.CA)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s holds no certificate", e.CA)
	}
	cert, err := tls.LoadX509KeyPair(e.CertFile, e.KeyFile)
	if err != nil {
		return nil, err
	}
	return clientv3.New(clientv3.Config{
		Endpoints: e.URLs,
		TLS:       &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{cert}},
		Logger:    zap.NewNop(),
		// Like the real API's client, this one pings its server, and so leaves a
		// dead one.
		DialKeepAliveTime:    10 * time.Second,
		DialKeepAliveTimeout: 5 * time.Second,
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.5, MaxDelay: 2 * time.Second},
			MinConnectTimeout: 3 * time.Second,
		})},
	})
}

// waitForRead has no deadline: without quorum it never returns. The client gives
// up when no server can be reached at all, so waitForRead asks again.
func waitForRead(ctx context.Context, c *clientv3.Client) {
	for {
		_, err := c.Get(ctx, prefix, clientv3.WithPrefix(), clientv3.WithCountOnly())
		if err == nil {
			return
		}
		log.Printf("etcd: %v", err)
		time.Sleep(200 * time.Millisecond)
	}
}
