//go:build judge

package inventory

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkAgainstAnsible compares the time of one edit in a list of 10,000 hosts with the time that Ansible takes to read it.
//
//	go test -tags judge -run '^$' -bench AgainstAnsible ./modules/internal/inventory/
func BenchmarkAgainstAnsible(b *testing.B) {
	for _, judge := range judgePaths(b) {
		b.Run(filepath.Base(filepath.Dir(filepath.Dir(judge))), func(b *testing.B) {
			path := tenThousand(b)
			var ours, theirs time.Duration
			for b.Loop() {
				start := time.Now()
				edits(b, path)
				ours += time.Since(start) / 2 // edits makes two
				start = time.Now()
				if out, err := exec.Command(judge, "-i", path, "--list").Output(); err != nil || len(out) < 10000 {
					b.Fatal(err)
				}
				theirs += time.Since(start)
			}
			n := time.Duration(b.N)
			b.ReportMetric((ours / n).Seconds(), "s/edit")
			b.ReportMetric((theirs / n).Seconds(), "s/list")
			b.ReportMetric(float64(ours)/float64(theirs), "edit/list")
		})
	}
}
