package etcdlog

import (
	"fmt"
	"regexp"
	"time"
)

// Problem is a known failure that a log shows.
type Problem struct {
	Code   string `json:"code"`   // stable
	Line   string `json:"line"`   // what it means, in one line
	Advice string `json:"advice"` // what to do
	Count  int    `json:"count"`
	Last   string `json:"last,omitempty"` // when it was logged last, RFC 3339
	Sample string `json:"sample"`         // the last line that shows it
}

type known struct {
	code, pattern, line, advice string
	compiled                    *regexp.Regexp
}

// knownFailures are tried in order, and the first that matches explains a line. The words are those of etcd 3.2 [rafthttp, etcdserver, wal,
// embed], which later versions kept as zap's messages, and of Go's crypto/tls.
var knownFailures = compile([]known{
	{code: "permanently_removed", pattern: `permanently removed from the cluster|data-dir used by this member must be removed`,
		line:   "this member was removed from the cluster, and its data can never come back to it",
		advice: "etcd_data_dir state=set_aside, then add_hosts.yml takes the host in again as a new member"},
	{code: "cluster_id_mismatch", pattern: `cluster ID mismatch`,
		line:   "another host belongs to a cluster with another ID: one of the two has old or foreign data",
		advice: "check_quorum.yml shows each host's cluster ID; fence the host that does not belong, by fence.yml"},
	{code: "member_id_mismatch", pattern: `ID mismatch`,
		line:   "another host is not the member that this one expects at its address",
		advice: "compare the member IDs of etcd_host_info; a host that was re-installed has to be removed and added again"},
	{code: "certificate_expired", pattern: `certificate has expired|not yet valid`,
		line:   "a certificate has expired, or is not valid yet, or a clock is wrong",
		advice: "etcd_host_info lists the certificates with their dates; openshift-ansible's redeploy-certificates makes new ones"},
	{code: "certificate_wrong_name", pattern: `certificate is (not )?valid for|doesn't contain any IP SANs|cannot validate certificate for`,
		line:   "a certificate is not issued for the name or address that it is used for",
		advice: "etcd_host_info lists the certificates with their names; make a new one for this host's IP address and name"},
	{code: "bad_certificate", pattern: `bad certificate|unknown authority|unknown certificate|certificate signed by|incompatible key usage|tls: failed to verify|remote error: tls`,
		line:   "one side does not accept the other's certificate",
		advice: "compare the CA of the hosts (sha256sum /etc/etcd/ca.crt); a client needs the peer certificate, not the server's"},
	{code: "clock_skew", pattern: `clock difference against peer .* is too high|prober found high clock drift`,
		line:   "this host's clock and another member's differ by more than a second",
		advice: "set the clocks right (chronyc tracking); certificates and leases depend on them"},
	{code: "nospace", pattern: `NOSPACE|database space exceeded|mvcc: no space`,
		line:   "the database has reached its quota (ETCD_QUOTA_BACKEND_BYTES): etcd takes no more writes",
		advice: "compact and defragment, or raise the quota, then disarm the alarm: etcdctl alarm disarm"},
	{code: "disk_full", pattern: `no space left on device`,
		line:   "the filesystem of the data directory, or of its backup, is full",
		advice: "make room (etcd_host_info lists what was set aside), then start etcd again"},
	{code: "request_too_large", pattern: `request is too large|trying to send message larger than max`,
		line:   "a client sends requests above etcd's limit of 1.5 MB, and they are refused",
		advice: "find the client; in OpenShift it is mostly a very large ConfigMap, Secret or Template"},
	{code: "slow_disk", pattern: `took too long|sync duration of|slow fdatasync|failed to send out heartbeat on time|server is likely overloaded`,
		line:   "the disk (or the host) is too slow for etcd: heartbeats and writes are late, and leaders change",
		advice: "look at the disk's latency (iostat -x 1); etcd wants 10 ms for an fsync at most, and a disk of its own"},
	{code: "wrong_owner", pattern: `(data[- ]dir|/var/lib/etcd|/member/|\.wal|openshift\.local\.etcd).*permission denied|permission denied.*(data[- ]dir|/member/|\.wal)|cannot access data directory|error listing data dir`,
		line:   "etcd may not read or write its data directory: the owner, the mode or the SELinux label is wrong",
		advice: "chown -R etcd:etcd /var/lib/etcd && restorecon -R /var/lib/etcd (mode 0700)"},
	{code: "selinux", pattern: `avc: +denied.*etcd`,
		line:   "SELinux denies etcd an access",
		advice: "restorecon -Rv /var/lib/etcd /etc/etcd; ausearch -m avc -c etcd shows what was denied"},
	{code: "already_bootstrapped", pattern: `already been bootstrapped`,
		line:   "this host has lost its data, and its cluster exists already: it cannot start with ETCD_INITIAL_CLUSTER_STATE=new",
		advice: "fence.yml -e etcd_host=…, then add_hosts.yml takes it in as a new member"},
	{code: "log_lost", pattern: `tocommit\(\d+\) is out of range`,
		line:   "this member's log is shorter than what it has promised: it was wiped, or came back from an old copy",
		advice: "remove the member and add the host again: add_hosts.yml"},
	{code: "corrupt", pattern: `crc mismatch|cannot be repaired|walpb|snap: .*(corrupt|broken)|file .* is corrupt|unexpected EOF.*wal|freepages|invalid database`,
		line:   "a file of this member is damaged",
		advice: "etcd_host_info says which one (log.damage); do not delete anything: restore_quorum.yml chooses another survivor"},
	{code: "member_list", pattern: `member count is unequal|unmatched member while checking PeerURLs|error validating peerURLs`,
		line:   "ETCD_INITIAL_CLUSTER is not the cluster's member list, which a joining member needs exactly",
		advice: "add_hosts.yml writes it; or etcd_config initial_cluster_add / initial_cluster_remove"},
	{code: "address_in_use", pattern: `address already in use`,
		line:   "another process listens on etcd's port",
		advice: "ss -lntp | grep -E ':(2379|2380)'"},
	{code: "fenced", pattern: `Starting requested but asserts failed|Assertion failed|start assertion failed`,
		line:   "systemd refuses to start etcd, since this host is fenced",
		advice: "cat /etc/etcd/fenced.json says why; add_hosts.yml takes the host in again"},
	{code: noQuorum, pattern: `is starting a new election at term|no leader|lost leader|etcdserver: request timed out|publish error`,
		line:   "this member finds no leader: too few members run, or the network is cut",
		advice: "check_quorum.yml"},
})

func compile(list []known) []known {
	for i := range list {
		list[i].compiled = regexp.MustCompile(list[i].pattern)
	}
	return list
}

// noQuorum is no problem once a leader is found: every start, and every stop of a leader, begins with an election.
const noQuorum = "no_quorum"

var leaderFound = regexp.MustCompile(`elected leader [0-9a-f]+ at term|became leader at term`)

// Explain finds the known failures, the commonest reason of all last (a missing leader follows from most of the others), in the order of the
// table.
func Explain(entries []Entry) []Problem {
	found := map[string]*Problem{}
	for _, e := range entries {
		if leaderFound.MatchString(e.Text) {
			delete(found, noQuorum)
		}
		k := explain(e.Text)
		if k == nil {
			continue
		}
		p := found[k.code]
		if p == nil {
			p = &Problem{Code: k.code, Line: k.line, Advice: k.advice}
			found[k.code] = p
		}
		p.Count++
		p.Sample = e.Text
		if !e.Time.IsZero() {
			p.Last = e.Time.UTC().Format(time.RFC3339)
		}
	}
	out := []Problem{}
	for _, k := range knownFailures {
		if p := found[k.code]; p != nil {
			out = append(out, *p)
		}
	}
	return out
}

// harmless lines look like failures and are none. Each start of etcd 3.2 logs the first: its own gateway dials the client port with the server's
// certificate, which the installer issues for servers only. The second comes while a member reads its data; the third is about
// tokens that nobody uses; the last are slow because there was no quorum.
var harmless = regexp.MustCompile(`Failed to dial .*tls: bad certificate"; please retry|failed to find member .* in cluster|` +
	`simple token is not cryptographically signed|context deadline exceeded.* took too long`)

// Harmless tells whether a line is only noise.
func Harmless(text string) bool { return harmless.MatchString(text) }

func explain(text string) *known {
	if Harmless(text) {
		return nil
	}
	for i := range knownFailures {
		if knownFailures[i].compiled.MatchString(text) {
			return &knownFailures[i]
		}
	}
	return nil
}

// String is the problem in one line.
func (p Problem) String() string {
	return fmt.Sprintf("%s (%d times, last %s): %s. Next: %s", p.Code, p.Count, p.Last, p.Line, p.Advice)
}
