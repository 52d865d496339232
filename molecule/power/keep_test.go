package main

import (
	"os"
	"reflect"
	"testing"
	"time"
)

func TestPart(t *testing.T) {
	for _, bad := range []string{"0/3", "4/3", "1", "1/0", "-1/2", "1/3x", " 1/3", "a/b", "01/3"} {
		if _, err := readPart(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	all := map[int]int{}
	for _, text := range []string{"1/3", "2/3", "3/3"} {
		p, err := readPart(text)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 24 {
			if p.has(n) {
				all[n]++
			}
		}
	}
	for n := range 24 {
		if all[n] != 1 {
			t.Errorf("cut %d is in %d parts", n, all[n])
		}
	}
	if p, err := readPart(""); err != nil || !p.has(0) || !p.has(7) {
		t.Errorf("without PART: %v, %v", p, err)
	}
}

func TestKeep(t *testing.T) {
	o := options{cuts: 20, quiet: 4, survivors: 3, kept: t.TempDir()}
	done := &cut{Number: 5, Quiet: true, Acked: 7, Files: []files{{Writes: map[string]bool{"v3 a": true}, Term: 2}}, Pairs: []pair{{0, 1}},
		Plain: []outcome{{Hangs: true}}, Ours: []outcome{{NeverInLog: 3}}, Took: time.Minute, Done: true}
	if o.recall(&cut{Number: 5}) {
		t.Error("recalled what never was")
	}
	if err := o.keep(done); err != nil {
		t.Fatal(err)
	}
	again := &cut{Number: 5}
	if !o.recall(again) || !reflect.DeepEqual(done, again) {
		t.Errorf("%+v, want %+v", again, done)
	}
	fewer := o
	fewer.survivors = 1
	if fewer.recall(&cut{Number: 5}) || o.recall(&cut{Number: 6}) {
		t.Error("recalled another run's cut, or another cut")
	}
	if err := os.Truncate(o.file(done), 9); err != nil {
		t.Fatal(err)
	}
	if o.recall(&cut{Number: 5}) {
		t.Error("recalled half a result")
	}
	o.kept = ""
	if err := o.keep(done); err != nil || o.recall(&cut{Number: 5}) {
		t.Error("kept without a directory")
	}
}
