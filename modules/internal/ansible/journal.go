package ansible

import (
	"log/syslog"
	"strings"
	"time"
)

// Tag is what `journalctl -t` finds the changes by.
const Tag = "etcd-quorum-restore"

// journalLimit is for a journal that does not read: it must not hold up a restore.
const journalLimit = time.Second

// journalSocket is where the host's journal listens. Without a listener, nothing is written.
var journalSocket = "/dev/log"

// journal leaves a line on the host about what a module has changed, as Ansible's own modules do: module, msg, and whether it failed.
func journal(module string, answer map[string]any) {
	line := module + ": changed"
	if answer["failed"] == true {
		line += ", then failed"
	}
	if msg, _ := answer["msg"].(string); msg != "" {
		line += ": " + sentence(strings.Join(strings.Fields(msg), " ")) // words of others reach it, as they reach the answer
	}
	socket, written := journalSocket, make(chan struct{})
	go func() {
		defer close(written)
		if w, err := syslog.Dial("unixgram", socket, syslog.LOG_USER|syslog.LOG_NOTICE, Tag); err == nil {
			w.Write([]byte(line))
			w.Close()
		}
	}()
	select {
	case <-written:
	case <-time.After(journalLimit):
	}
}
