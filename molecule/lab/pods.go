package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// podRecord is what a host's kubelet and containerd say about one container of a
// static pod.
type podRecord struct {
	Host      string `json:"host"`
	Pod       string `json:"pod"`
	UID       string `json:"uid"`
	Container string `json:"container"`
	State     string `json:"state"`    // running, or why it is not: CrashLoopBackOff, Completed, …
	Restarts  int    `json:"restarts"` // of this UID, as the kubelet counts
	// From the journals of this boot, over all manifests of the pod's name that
	// were not there at the mark.
	Starts   int `json:"starts"`
	Kills    int `json:"kills"`
	BackOffs int `json:"back_offs"`
}

// kubeletPods is the part of the kubelet's /pods that is read.
type kubeletPods struct {
	Items []struct {
		Metadata struct {
			Name        string
			Annotations map[string]string
		}
		Status struct{ ContainerStatuses []containerStatus }
	}
}

type containerStatus struct {
	Name         string
	RestartCount int
	State        map[string]struct{ Reason string }
}

func (c containerStatus) state() string {
	for what, detail := range c.State {
		if what == "running" || detail.Reason == "" {
			return what
		}
		return detail.Reason
	}
	return "unknown"
}

// pods asks a host's kubelet what it runs, and the journals what happened to
// manifests other than the old ones.
func (l *Lab) pods(ctx context.Context, h Host, old map[string]bool) ([]podRecord, error) {
	if !h.Pod {
		return nil, fmt.Errorf("%s has no kubelet", h.Short())
	}
	answer, err := l.askKubelet(ctx, h)
	if err != nil {
		return nil, fmt.Errorf("the kubelet does not answer: %w", err)
	}
	events, err := l.podEvents(ctx, h)
	if err != nil {
		return nil, err
	}
	return podRecords(h, answer, events, old)
}

func (l *Lab) podEvents(ctx context.Context, h Host) ([]podEvent, error) {
	journal, err := podman(ctx, "exec", l.container(h), "journalctl", "--boot", "--no-pager", "--output=cat",
		"--unit=containerd.service", "--unit="+nodeUnit)
	return readJournal(journal), err
}

// askKubelet reads /pods on the host itself, which has no HTTP client: the
// kubelet listens on 127.0.0.1 only.
func (l *Lab) askKubelet(ctx context.Context, h Host) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := command(ctx, nil, "podman", "exec", l.container(h), "bash", "-c",
		`exec 3<>/dev/tcp/127.0.0.1/10255 && printf 'GET /pods HTTP/1.0\r\n\r\n' >&3 && cat <&3`)
	if err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(out)), nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

func podRecords(h Host, answer []byte, events []podEvent, old map[string]bool) ([]podRecord, error) {
	var list kubeletPods
	if err := json.Unmarshal(answer, &list); err != nil {
		return nil, fmt.Errorf("the kubelet's /pods: %w", err)
	}
	var records []podRecord
	for _, p := range list.Items {
		for _, c := range p.Status.ContainerStatuses {
			r := podRecord{
				Host: h.Short(), Pod: strings.TrimSuffix(p.Metadata.Name, "-"+h.Name), Container: c.Name,
				UID: p.Metadata.Annotations["kubernetes.io/config.hash"], State: c.state(), Restarts: c.RestartCount,
			}
			for _, e := range events {
				if e.Pod == p.Metadata.Name && e.Container == c.Name && !old[e.UID] {
					r.count(e)
				}
			}
			records = append(records, r)
		}
	}
	return records, nil
}

func (r *podRecord) count(e podEvent) {
	switch e.What {
	case "start":
		r.Starts++
	case "kill":
		r.Kills++
	case "back-off":
		r.BackOffs++
	}
}
