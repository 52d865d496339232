package main

import (
	"regexp"
	"strings"
)

// podEvent is what a journal says has happened to a container of a static pod.
type podEvent struct {
	What      string // start, kill (by its probe), back-off (the kubelet held a start back)
	Pod       string // with the node's name at its end
	UID       string // a sum of the manifest: a changed manifest is another pod
	Container string
}

// Lines of containerd 1.6 and kubelet 1.33. A start is what containerd says was
// started: the kubelet looks once a second, and misses what ended sooner.
var (
	madeSandbox   = regexp.MustCompile(`RunPodSandbox for &PodSandboxMetadata\{Name:([^,]+),Uid:([^,]+),.* returns sandbox id \\"([0-9a-f]{64})\\"`)
	madeContainer = regexp.MustCompile(`CreateContainer within sandbox \\"([0-9a-f]{64})\\" for &ContainerMetadata\{Name:([^,]+),Attempt:\d+,\} returns container id \\"([0-9a-f]{64})\\"`)
	started       = regexp.MustCompile(`StartContainer for \\"([0-9a-f]{64})\\" returns successfully`)
	killed        = regexp.MustCompile(`"ID":"([0-9a-f]{64})".* containerMessage="Container [a-z0-9-]+ failed liveness probe`)
	heldBack      = regexp.MustCompile(`with CrashLoopBackOff: .*restarting failed container=([^ ]+) pod=([^_]+)_[^(]+\(([^)]+)\)`)
)

// readJournal finds the events in what containerd and the kubelet have written
// since the boot.
func readJournal(journal string) (events []podEvent) {
	sandboxes, containers := map[string]podEvent{}, map[string]podEvent{}
	add := func(what string, of podEvent) {
		of.What = what
		events = append(events, of)
	}
	for line := range strings.Lines(journal) {
		if m := madeSandbox.FindStringSubmatch(line); m != nil {
			sandboxes[m[3]] = podEvent{Pod: m[1], UID: m[2]}
		} else if m := madeContainer.FindStringSubmatch(line); m != nil {
			of := sandboxes[m[1]]
			of.Container = m[2]
			containers[m[3]] = of
		} else if m := started.FindStringSubmatch(line); m != nil {
			// Sandboxes are started by the same words.
			if of, ok := containers[m[1]]; ok {
				add("start", of)
			}
		} else if m := killed.FindStringSubmatch(line); m != nil {
			add("kill", containers[m[1]])
		} else if m := heldBack.FindStringSubmatch(line); m != nil {
			add("back-off", podEvent{Pod: m[2], UID: m[3], Container: m[1]})
		}
	}
	return events
}
