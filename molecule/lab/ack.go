package main

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Ack is one acknowledged write, one line of acked.log:
//
//	SENT ACKED STORE KEY VALUE
//
// with both times in nanoseconds since 1970 and STORE v2 or v3.
type Ack struct {
	Sent, At   time.Time
	Store      string
	Key, Value string
}

func (a Ack) line() string {
	return fmt.Sprintf("%d %d %s %s %s\n", a.Sent.UnixNano(), a.At.UnixNano(), a.Store, a.Key, a.Value)
}

func parseAck(line string) (Ack, error) {
	f := strings.Fields(line)
	if len(f) != 5 || f[2] != "v2" && f[2] != "v3" {
		return Ack{}, fmt.Errorf("not a line of the writer's log: %q", line)
	}
	sent, err := strconv.ParseInt(f[0], 10, 64)
	if err != nil {
		return Ack{}, err
	}
	at, err := strconv.ParseInt(f[1], 10, 64)
	if err != nil {
		return Ack{}, err
	}
	return Ack{Sent: time.Unix(0, sent), At: time.Unix(0, at), Store: f[2], Key: f[3], Value: f[4]}, nil
}

// readAcks returns all of them in the order of acknowledgement. A last line
// without its end is one that is being written.
func readAcks(path string) ([]Ack, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var acks []Ack
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			break
		}
		a, err := parseAck(line)
		if err != nil {
			return nil, err
		}
		acks = append(acks, a)
	}
	slices.SortStableFunc(acks, func(a, b Ack) int { return a.At.Compare(b.At) })
	return acks, nil
}

func countStore(acks []Ack, store string) int {
	n := 0
	for _, a := range acks {
		if a.Store == store {
			n++
		}
	}
	return n
}

type gap struct {
	from   time.Time
	length time.Duration
}

// longestGap is the longest time between two acknowledgements.
func longestGap(acks []Ack) gap {
	var longest gap
	for i := 1; i < len(acks); i++ {
		if d := acks[i].At.Sub(acks[i-1].At); d > longest.length {
			longest = gap{acks[i-1].At, d}
		}
	}
	return longest
}

// wanted is what a member must hold in one store: for each key the value that
// was acknowledged last.
func wanted(acks []Ack, store string) map[string]string {
	want := map[string]string{}
	for _, a := range acks {
		if a.Store == store {
			want[a.Key] = a.Value
		}
	}
	return want
}

// missing are the keys of want that have lacks, or holds with another value.
func missing(want, have map[string]string) []string {
	var lost []string
	for _, k := range sortedKeys(want) {
		if v, ok := have[k]; !ok || v != want[k] {
			lost = append(lost, k)
		}
	}
	return lost
}
