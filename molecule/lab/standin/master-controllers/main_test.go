package main

import "testing"

func TestHear(t *testing.T) {
	f := &follower{seen: map[string]string{}}
	f.hear("7 object a value with blanks")
	f.hear("nonsense")
	f.hear("x object other")
	f.hear("3 late v")
	if got := f.seen["object"]; got != "a value with blanks" {
		t.Errorf("object is %q", got)
	}
	// The revision never goes back: the next watch starts behind all that was
	// heard.
	if f.revision != 7 {
		t.Errorf("revision %d, want 7", f.revision)
	}
}
