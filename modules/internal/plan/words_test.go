package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/rows"
)

// word is the first word of a line of facts: it changes the cluster as the builder of the same name does.
type word struct {
	name, takes, means string
	do                 func(c *cluster, a *args)
}

// vocabulary in the order of testdata/README.md: what hosts are in, what they know, what the operator says.
func vocabulary() []word {
	return append(modelVocabulary(), []word{
		{"lost", "N", "N hosts, none of which runs any more; all have the same log of 1000 entries. Facts begin with it", takeLost},
		{"stopped", "HOST...", "is as in the beginning again", each((*cluster).stop)},
		{"off", "HOST...", "does not answer", group((*cluster).off)},
		{"wiped", "HOST...", "is there, its data is gone", group((*cluster).wiped)},
		{"running", "HOST...", "runs without quorum, and has served since before the loss", group((*cluster).running)},
		{"healthy", "HOST...", "runs with quorum", group((*cluster).healthy)},
		{"fenced", "HOST...", "was fenced by an earlier run, whose survivor was to be host 0", group((*cluster).fenced)},
		{"lost_for", "HOST | NAME on HOST...", "the first, or whatever has this name, had gone on; the others came back, and were fenced by fence.yml", takeLostFor},
		{"taken_in", "HOST", "is of a cluster that was forced on host 0 and took it in since, under a new ID", each((*cluster).takenIn)},
		{"damaged", "HOST...", "has a log that cannot be read to its end", each((*cluster).damaged)},
		{"foreign", "HOST...", "has data of another cluster", each((*cluster).foreign)},
		{"empty_cluster", "LAST HOST...", "was wiped, and has formed a new cluster of the same ID; its log ends at LAST", takeEmptyCluster},
		{"forcing", "HOST...", "has the record of a forced start that was not finished", each((*cluster).forcing)},
		{"flag", "HOST...", "runs with --force-new-cluster, and has it in a drop-in", each((*cluster).flag)},
		{"flag_file", "HOST...", "has the flag in etcd.conf", each((*cluster).flagFile)},
		{"unreadable", "HOST...", "could not be read in full when it was copied", each((*cluster).unreadable)},
		{"new", "HOST", "is an empty host of new_etcd", takeNew},
		{"new_again", "HOST...", "left [etcd] with a restore, and is in new_etcd now, with its data", group((*cluster).newAgain)},
		{"no_facts", "HOST MESSAGE...", "is reached, and etcd_host_info failed with the message, or returned nothing", takeNoFacts},
		{"name", "HOST NAME", "has this name in the inventory", takeName},
		{"called", "HOST NAME...", "has these names and addresses in the inventory, or by the control node's resolver", takeCalled},

		{"sees", "HOST OTHER...", "reaches the peer port of OTHER", pairs((*cluster).sees)},
		{"blind", "HOST OTHER... [by ERROR]", "does not reach the peer port of OTHER", takeBlind},
		{"log", "HOST [of NAME] TERM:LAST[@NAME]... [from INDEX]", "has a log of these terms, each with its last index. Logs share entries where they have the same NAME, " +
			"term and index; behind @ is that of one term. Older entries than INDEX went with a snapshot", takeLog},
		{"bootstrap_log", "HOST...", "has a log with nothing but what every cluster of this configuration begins with", each((*cluster).bootstrap)},
		{"commit", "HOST INDEX", "knows this index to be committed, and none above it", takeCommit},
		{"revision", "N HOST...", "is at this revision", takeRevision},
		{"no_v2_keys", "HOST...", "holds no key in its v2 store", group((*cluster).v2)},
		{"conf_change", "HOST INDEX TYPE OTHER", "has this membership change in the tail of its log", takeConfChange},
		{"list", "N [unstarted HOST | renamed HOST] [on HOST...]", "the members are the first N hosts; one of them was added and never started, or has a name and an address " +
			"that no host is known by. All hosts that know a list know this one, or those after \"on\"", takeList},
		{"fact", "HOST PATH JSON", "this fact of etcd_host_info has this value, such as `fact 0 log.torn true`", takeFact},
		{"earlier", "WORD...", "in the look some seconds before, this was so, such as `earlier healthy 0`", takeEarlier},

		{"seen", "HOST TERM:LAST", "had a log that ended so in an earlier look of the same run", takeSeen},

		{"consent", "", "etcd_lost_hosts_off names all hosts that do not answer, and members without a host by their IDs", switchOn((*cluster).consent)},
		{"accept", "", "etcd_accept_loss=yes", switchOn((*cluster).accept)},
		{"prefer", "HOST", "etcd_survivor=HOST; it may be no host", takePrefer},
		{"confirmed", "", "etcd_confirm=yes", switchOn((*cluster).confirmed)},
		{"alone", "", "etcd_rejoin=no", switchOn((*cluster).alone)},
		{"start_failed", "", "the start was carried out, and no quorum came of it", switchOn((*cluster).startFailed)},
		{"start_ended", "HOST WHY...", "the same, and etcd on this host ended after its start", takeStartEnded},
		{"fence", "HOST...", "fence.yml is asked to fence them", group((*cluster).fence)},
		{"undo", "", "undo.yml is asked to take a restore back", switchOn((*cluster).undo)},
		{"remove", "HOST | NAME", "remove_host.yml is asked to take it out", takeRemove},
		{"ca_moved", "", "etcd_ca_moved=yes", switchOn((*cluster).caMoved)},
	}...)
}

// args are the words after the first one of a line. The first error is kept.
type args struct {
	c    *cluster
	rest []string
	err  error
}

func (a *args) fail(format string, values ...any) {
	if a.err == nil {
		a.err = fmt.Errorf(format, values...)
	}
}

func (a *args) next(what string) string {
	if len(a.rest) == 0 {
		a.fail("%s is missing", what)
		return ""
	}
	first := a.rest[0]
	a.rest = a.rest[1:]
	return first
}

// take skips the next word if it is this one.
func (a *args) take(name string) bool {
	if len(a.rest) == 0 || a.rest[0] != name {
		return false
	}
	a.rest = a.rest[1:]
	return true
}

func (a *args) number(what string) uint64 {
	text := a.next(what)
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		a.fail("%s: expected a number, found %q", what, text)
	}
	return n
}

// host is the number of a host that exists.
func (a *args) host() int {
	n := int(a.number("HOST"))
	if _, ok := a.c.Hosts[host(n)]; !ok {
		a.fail("there is no host %d", n)
		return 0
	}
	return n
}

func (a *args) hosts() []int {
	out := []int{a.host()}
	for len(a.rest) > 0 && a.err == nil {
		out = append(out, a.host())
	}
	return out
}

// apply carries out a line of facts.
func (c *cluster) apply(line string) error {
	fields := strings.Fields(line)
	for _, w := range vocabulary() {
		if w.name != fields[0] {
			continue
		}
		a := &args{c: c, rest: fields[1:]}
		a.carryOut(w)
		if len(a.rest) > 0 {
			a.fail("%q is one word too many", a.rest[0])
		}
		if a.err != nil {
			return fmt.Errorf("%w; expected: %s", a.err, strings.TrimSpace(w.name+" "+w.takes))
		}
		return nil
	}
	return fmt.Errorf("unknown word %q; the words are in testdata/README.md", fields[0])
}

// carryOut turns a panic of a builder, such as a change of a log that is gone, into an error.
func (a *args) carryOut(w word) {
	defer func() {
		if found := recover(); found != nil {
			a.fail("these hosts do not have what is to be changed (%v)", found)
		}
	}()
	w.do(a.c, a)
}

func switchOn(change func(*cluster) *cluster) func(*cluster, *args) {
	return func(c *cluster, _ *args) { change(c) }
}

func group(change func(*cluster, ...int) *cluster) func(*cluster, *args) {
	return func(c *cluster, a *args) { change(c, a.hosts()...) }
}

func each(change func(*cluster, int) *cluster) func(*cluster, *args) {
	return func(c *cluster, a *args) {
		for _, i := range a.hosts() {
			change(c, i)
		}
	}
}

func pairs(change func(*cluster, int, int) *cluster) func(*cluster, *args) {
	return func(c *cluster, a *args) {
		i := a.host()
		for _, j := range a.hosts() {
			change(c, i, j)
		}
	}
}

func takeLost(c *cluster, a *args) { *c = *lost(int(a.number("N"))) }

func takeNew(c *cluster, a *args) { c.newHost(int(a.number("HOST"))) }

func takeEmptyCluster(c *cluster, a *args) {
	last := a.number("LAST")
	c.emptyCluster(last, a.hosts()...)
}

func takeLostFor(c *cluster, a *args) {
	name := a.next("HOST")
	if n, err := strconv.Atoi(name); err == nil {
		name = host(n)
	}
	if !a.take("on") {
		a.fail("\"on\" is missing")
	}
	c.lostFor(name, a.hosts()...)
}

func takeSeen(c *cluster, a *args) {
	i := a.host()
	r := a.run()
	c.Seen = map[string]Position{host(i): {Term: r.term, Index: r.last}}
}

func takeCommit(c *cluster, a *args) {
	i := a.host()
	c.commit(i, a.number("INDEX"))
}

func takeRevision(c *cluster, a *args) {
	n := a.number("N")
	c.revisions(int64(n), a.hosts()...)
}

func takePrefer(c *cluster, a *args) { c.prefer(int(a.number("HOST"))) }

func takeBlind(c *cluster, a *args) {
	i, others := a.host(), []int{a.host()}
	for len(a.rest) > 0 && a.rest[0] != "by" && a.err == nil {
		others = append(others, a.host())
	}
	message := "dial tcp: i/o timeout"
	if a.take("by") {
		message, a.rest = strings.Join(a.rest, " "), nil
	}
	for _, j := range others {
		c.blind(i, j, message)
	}
}

func takeStartEnded(c *cluster, a *args) {
	name := host(a.host())
	c.startFailed()
	if c.StartEnded == nil {
		c.StartEnded = map[string]rows.Trouble{}
	}
	c.StartEnded[name], a.rest = rows.Trouble{Msg: strings.Join(a.rest, " ")}, nil
}

func takeNoFacts(c *cluster, a *args) {
	i := a.host()
	c.put(i, Host{Failed: len(a.rest) > 0, Msg: strings.Join(a.rest, " ")})
	a.rest = nil
}

func takeLog(c *cluster, a *args) {
	i, seed := a.host(), "real"
	if a.take("of") {
		seed = a.next("NAME")
	}
	var runs []run
	var seeds []string
	for len(a.rest) > 0 && a.rest[0] != "from" {
		text, name, named := strings.Cut(a.rest[0], "@")
		if a.rest[0] = text; !named {
			name = seed
		}
		runs, seeds = append(runs, a.run()), append(seeds, name)
	}
	if len(runs) == 0 {
		a.fail("TERM:LAST is missing")
	}
	if a.err != nil {
		return
	}
	l := chain(seeds, runs)
	if a.take("from") {
		l = from(l, a.number("INDEX"))
	}
	c.log(i, l)
}

func (a *args) run() run {
	text := a.next("TERM:LAST")
	var r run
	if n, err := fmt.Sscanf(text, "%d:%d", &r.term, &r.last); n != 2 || err != nil {
		a.fail("expected TERM:LAST, found %q", text)
	}
	return r
}

func takeConfChange(c *cluster, a *args) {
	i := a.host()
	change := facts.ConfChange{Index: a.number("INDEX"), Type: a.next("TYPE"), MemberID: memberID(a.host())}
	c.edit(i, func(h *Host) { h.Log.ConfChanges = []facts.ConfChange{change} })
}

func takeList(c *cluster, a *args) {
	members := memberList(int(a.number("N")))
	switch {
	case a.take("unstarted"):
		members = unstarted(len(members), a.memberOf(members))
	case a.take("renamed"):
		members = renamed(len(members), a.memberOf(members))
	}
	if a.take("on") {
		c.list(members, a.hosts()...)
	} else {
		c.listAll(members)
	}
}

func (a *args) memberOf(members []facts.ClusterMember) int {
	i := a.host()
	if i >= len(members) {
		a.fail("host %d is none of the %d members", i, len(members))
		return 0
	}
	return i
}

func takeFact(c *cluster, a *args) {
	i, path := a.host(), a.next("PATH")
	value := json.RawMessage(strings.Join(a.rest, " "))
	a.rest = nil
	c.edit(i, func(h *Host) {
		if err := setFact(h, strings.Split(path, "."), value); err != nil {
			a.fail("%s: %v", path, err)
		}
	})
}

// setFact uses the names that etcd_host_info returns.
func setFact(h *Host, path []string, value json.RawMessage) error {
	raw, err := json.Marshal(h)
	if err != nil {
		return err
	}
	raw, err = replaced(raw, path, value)
	if err != nil {
		return err
	}
	var out Host
	strict := json.NewDecoder(bytes.NewReader(raw))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&out); err != nil {
		return err
	}
	*h = out
	return nil
}

func replaced(raw json.RawMessage, path []string, value json.RawMessage) (json.RawMessage, error) {
	if len(path) == 0 {
		return value, nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil || object == nil {
		return nil, fmt.Errorf("%s is in no object of this host", path[0])
	}
	inner, err := replaced(object[path[0]], path[1:], value)
	if err != nil {
		return nil, err
	}
	object[path[0]] = inner
	return json.Marshal(object)
}

func takeName(c *cluster, a *args) {
	old := host(a.host())
	c.Hosts[a.next("NAME")] = c.Hosts[old]
	delete(c.Hosts, old)
}

func takeCalled(c *cluster, a *args) {
	c.called(a.host(), a.rest...)
	a.rest = nil
}

func takeEarlier(c *cluster, a *args) {
	line := strings.Join(a.rest, " ")
	a.rest = nil
	if line == "" {
		a.fail("WORD is missing")
		return
	}
	c.before(func(past *cluster) {
		if err := past.apply(line); err != nil {
			a.fail("%w", err)
		}
	})
}

// takeRemove takes any name: the decision refuses what is no host, and that is tested.
func takeRemove(c *cluster, a *args) {
	name := a.next("HOST")
	if n, err := strconv.Atoi(name); err == nil {
		name = host(n)
	}
	c.removeName(name)
}
