package readfile

import (
	"os/exec"
	"strings"
	"testing"
)

// What a program prints without an end takes no memory, whoever copies it.
func TestHostileOutput(t *testing.T) {
	out := Output{Limit: 10}
	cmd := exec.Command("head", "-c", "50000000", "/dev/zero")
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil || out.String() != strings.Repeat("\x00", 10) || out.buf.Cap() > 4096 {
		t.Errorf("%v, %q, %d", err, out.String(), out.buf.Cap())
	}
}
