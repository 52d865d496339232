package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"time"
)

var writerActions = map[string]action{
	"start":  (*Lab).writerStart,
	"run":    (*Lab).writerRun,
	"stop":   (*Lab).writerStop,
	"check":  (*Lab).writerCheck,
	"report": (*Lab).writerReport,
}

// writerOptions say how much the writer writes.
type writerOptions struct {
	Clients int
	Rate    int
	V2      bool
	Timeout time.Duration
	Size    int
	Hosts   string
	NoWait  bool
	As      string
}

func (o *writerOptions) flags(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.IntVar(&o.Clients, "clients", 4, "writers at once")
	f.IntVar(&o.Rate, "rate", 25, "writes a second in all, once 120 are acknowledged at four times that; 0: as fast as etcd answers")
	f.BoolVar(&o.V2, "v2", false, "every second write goes to the v2 store")
	f.DurationVar(&o.Timeout, "timeout", time.Second, "limit of one write")
	f.IntVar(&o.Size, "size", 64, "bytes of a value")
	f.StringVar(&o.Hosts, "hosts", "", "write through these only (a,b); default: all members")
	f.BoolVar(&o.NoWait, "no-wait", false, "do not wait for acknowledged writes")
	f.StringVar(&o.As, "as", "", "show this master's client certificate and trust its CA file, as they are at each new connection")
	return f
}

func (o *writerOptions) parse(name string, args []string) error {
	f := o.flags(name)
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 || o.Clients < 1 || o.Rate < 0 || o.Timeout <= 0 {
		return fmt.Errorf("writer %s: unusable options %q", name, args)
	}
	return nil
}

func (o *writerOptions) interval() time.Duration { return time.Second / time.Duration(o.Rate) }

// pause is how long a client waits after a write that failed: as long as all of them take for five.
func (o *writerOptions) pause() time.Duration {
	if o.Rate == 0 {
		return 50 * time.Millisecond
	}
	return 5 * o.interval()
}

// wellUsed is how many writes make a cluster look used: one whose v3 store is at revision 50 or below may have been formed by wiped hosts. Half
// of the writes may go to the v2 store.
const wellUsed = 120

func (l *Lab) ackedLog() string { return l.path("writer/acked.log") }

func (l *Lab) writerStart(ctx context.Context, args []string) error {
	var o writerOptions
	if err := o.parse("start", args); err != nil {
		return err
	}
	before := lines(l.ackedLog())
	if err := l.background("writer", args); err != nil || o.NoWait {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	return poll(ctx, func() error {
		if n := lines(l.ackedLog()) - before; n < wellUsed {
			return fmt.Errorf("%d writes were acknowledged, and not %d; see %s", n, wellUsed, l.path("writer/writer.log"))
		}
		return nil
	})
}

func lines(path string) int {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	return bytes.Count(data, []byte{'\n'})
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func (l *Lab) writerStop(_ context.Context, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("what is %q?", args[0])
	}
	return l.stopWriter()
}

// stopWriter ends the writer if there is one and waits until it is gone, so
// that nothing is added to its log any more.
func (l *Lab) stopWriter() error { return l.endBackground("writer") }

// writerReport says what was acknowledged and the longest time without any.
func (l *Lab) writerReport(_ context.Context, args []string) error {
	acks, err := readAcks(l.ackedLog())
	if err != nil {
		return err
	}
	gap := longestGap(acks)
	fmt.Printf("acknowledged: %d v3, %d v2\n", countStore(acks, "v3"), countStore(acks, "v2"))
	if len(acks) > 1 {
		fmt.Printf("longest time without an acknowledged write: %.3f s, from %s\n",
			gap.length.Seconds(), gap.from.UTC().Format("15:04:05.000"))
		fmt.Printf("last acknowledged: %s\n", acks[len(acks)-1].At.UTC().Format("15:04:05.000"))
	}
	return nil
}
