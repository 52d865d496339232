package main

import (
	"regexp"
	"strings"
)

// What containerd 1.6 and kubelet 1.33 write. A start is what containerd says
// has been started: the kubelet looks once a second, and misses what ended sooner.
var (
	created  = regexp.MustCompile(`for &ContainerMetadata\{Name:([^,]+),Attempt:\d+,\} returns container id \\"([0-9a-f]{64})\\"`)
	started  = regexp.MustCompile(`StartContainer for \\"([0-9a-f]{64})\\" returns successfully`)
	killed   = regexp.MustCompile(`Container ([a-z0-9-]+) failed liveness probe`)
	heldBack = regexp.MustCompile(`failed to \\"StartContainer\\" for \\"([a-z0-9-]+)\\" with CrashLoopBackOff`)
)

// countEvents counts what a journal says of the containers of one name; uid is
// that of the pod that is there now.
func countEvents(journal, container, uid string) (e podEvents) {
	ids := map[string]bool{}
	for line := range strings.Lines(journal) {
		if m := created.FindStringSubmatch(line); m != nil && m[1] == container {
			ids[m[2]] = true
		}
		if m := started.FindStringSubmatch(line); m != nil && ids[m[1]] {
			e.Starts++
		}
		if m := killed.FindStringSubmatch(line); m != nil && m[1] == container {
			e.Kills++
		}
		if m := heldBack.FindStringSubmatch(line); m != nil && m[1] == container {
			e.BackOffs++
			if strings.Contains(line, uid) {
				e.BackOff++
			}
		}
	}
	return e
}
