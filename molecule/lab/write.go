package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// writerPrefix is where the writer's keys are, in both stores.
const writerPrefix = "/lab/writer"

// writer is the client side of one run. Each write has a key of its own, so a
// write with an unknown result can never hide the loss of an acknowledged one.
type writer struct {
	o       writerOptions
	run     string
	hosts   []Host
	clients []*clientv3.Client // one a host
	v2      *v2Client
	pace    *time.Ticker // nil: as fast as etcd answers
	written int
	mu      sync.Mutex
	log     *os.File
}

// writerRun writes until it is told to stop.
func (l *Lab) writerRun(ctx context.Context, args []string) error {
	var o writerOptions
	if err := o.parse("run", args); err != nil {
		return err
	}
	w, err := l.newWriter(o)
	if err != nil {
		return err
	}
	defer w.log.Close()
	if o.Rate > 0 {
		w.pace = time.NewTicker(o.interval() / 4)
		defer w.pace.Stop()
	}
	var wg sync.WaitGroup
	for i := range o.Clients {
		wg.Go(func() { w.loop(ctx, i) })
	}
	wg.Wait()
	return nil
}

func (l *Lab) newWriter(o writerOptions) (*writer, error) {
	w := &writer{o: o, run: strconv.FormatInt(time.Now().UnixMilli(), 36), hosts: members(l.Hosts)}
	var err error
	if o.Hosts != "" {
		if w.hosts, err = pick(l.Hosts, strings.Split(o.Hosts, ",")); err != nil {
			return nil, err
		}
	}
	conf, err := l.writersTLS(o)
	if err != nil {
		return nil, err
	}
	for _, h := range w.hosts {
		c, err := l.clientWith(h, conf)
		if err != nil {
			return nil, err
		}
		w.clients = append(w.clients, c)
	}
	w.v2 = v2With(conf)
	w.log, err = os.OpenFile(l.ackedLog(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return w, err
}

// loop is one client: it stays with a member while that answers, and goes on to
// the next when it does not.
func (w *writer) loop(ctx context.Context, client int) {
	member := client % len(w.hosts)
	for seq := 0; ; seq++ {
		if !w.wait(ctx) {
			return
		}
		a := Ack{
			Store: "v3", Key: fmt.Sprintf("%s/%s/%d/%d", writerPrefix, w.run, client, seq),
			Value: value(w.o.Size, client, seq), Sent: time.Now(),
		}
		if w.o.V2 && seq%2 == 1 {
			a.Store = "v2"
		}
		err := w.write(ctx, member, a)
		a.At = time.Now()
		if err == nil {
			w.record(a)
			continue
		}
		if ctx.Err() != nil {
			return
		}
		fmt.Printf("%s %s %s through %s: %v\n", a.At.UTC().Format(time.RFC3339Nano), a.Store, a.Key, w.hosts[member].Short(), err)
		member = (member + 1) % len(w.hosts)
		// A refused connection fails at once: without a pause this machine would
		// only write the log of failures.
		select {
		case <-ctx.Done():
			return
		case <-time.After(w.o.pause()):
		}
	}
}

func (w *writer) wait(ctx context.Context) bool {
	if w.pace == nil {
		return ctx.Err() == nil
	}
	select {
	case <-ctx.Done():
		return false
	case <-w.pace.C:
		return true
	}
}

func (w *writer) write(ctx context.Context, member int, a Ack) error {
	// The stop signal does not end it: a write that is under way gets its answer,
	// so that the log has it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.o.Timeout)
	defer cancel()
	if a.Store == "v2" {
		return w.v2.put(ctx, w.hosts[member], a.Key, a.Value)
	}
	_, err := w.clients[member].Put(ctx, a.Key, a.Value)
	return err
}

func (w *writer) record(a Ack) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.written++; w.written == wellUsed && w.pace != nil {
		w.pace.Reset(w.o.interval())
	}
	if _, err := w.log.WriteString(a.line()); err != nil {
		// Without its log the writer proves nothing.
		panic(err)
	}
}

func value(size, client, seq int) string {
	v := fmt.Sprintf("%d.%d.", client, seq)
	if len(v) < size {
		v += strings.Repeat("x", size-len(v))
	}
	return v
}
