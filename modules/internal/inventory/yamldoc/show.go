package yamldoc

import (
	"cmp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/inventory/source"
)

// Headings are by line: its header is the key of the innermost group around it.
func (d *Doc) Headings() []int {
	out := make([]int, len(d.lines))
	for i := range out {
		out[i] = -1
	}
	for _, g := range d.groups { // parents come before their children
		for i, end := g.key.Line-1, d.area(g.key); !g.shared && i < end; i++ {
			out[i] = g.key.Line - 1
		}
	}
	return out
}

// Shown is line i in the diff: the keys that name groups, hosts and groups' variables, the words of an inventory's structure, our own comments,
// and … for all else. A host's variables are not even named: each of their lines is …
func (d *Doc) Shown(i int, known func(string) bool) string {
	full := d.lines[i].Text
	text := strings.TrimSpace(full)
	indent := full[:indentOf(full)]
	if m, ok := source.ParseMark(full); ok {
		return indent + d.shownMark(m, i, known)
	}
	comment := ""
	for _, own := range []string{source.OwnComment, source.KeptForm.FindString(text)} {
		if rest, found := strings.CutSuffix(text, own); found && own != "" {
			text, comment = strings.TrimSpace(rest), own
		}
	}
	if keys := d.keysAt(i); len(keys) > 0 {
		text = shownKeys(keys, text)
	} else if !slices.Contains([]string{"", "hosts:", "children:", "vars:"}, text) && !d.isFlowNote(text, known) {
		text = source.Hidden
	}
	if text != "" && comment != "" {
		text += "  "
	}
	return strings.TrimRight(indent+text+comment, " ")
}

func (d *Doc) shownMark(m source.Mark, i int, known func(string) bool) string {
	key, length, ok := keyOf(m.Entry)
	isStart := slices.ContainsFunc(d.marked, func(each markLines) bool { return each.at[0] == i })
	if !ok || !isStart || !known(key) && !known(source.ParsePattern(key).Hosts) {
		return m.Shown("", true)
	}
	rest := strings.TrimSpace(strings.TrimSuffix(m.Entry[length:], source.OwnComment))
	return m.Shown(m.Entry[:length]+":", rest != ":" && rest != "")
}

func (d *Doc) isFlowNote(text string, known func(string) bool) bool {
	group, found := strings.CutPrefix(text, source.OwnComment+": ")
	return found && known(group)
}

// keysAt lists the keys on line i that may be shown, from left to right.
func (d *Doc) keysAt(i int) []*yaml.Node {
	var out []*yaml.Node
	add := func(n *yaml.Node) {
		if n != nil && n.Line == i+1 && !slices.Contains(out, n) { // some nodes are reached twice, by an alias
			out = append(out, n)
		}
	}
	for _, g := range d.groups {
		add(g.key)
		add(g.hostsKey)
		for _, v := range g.vars {
			add(v.key)
		}
	}
	for _, h := range d.hosts {
		add(h.key)
	}
	slices.SortFunc(out, func(a, b *yaml.Node) int { return cmp.Compare(a.Column, b.Column) })
	return out
}

func shownKeys(keys []*yaml.Node, text string) string {
	var names []string
	for _, k := range keys {
		names = append(names, source.Visible(k.Value)+":")
	}
	all := strings.Join(names, " ")
	if strings.NewReplacer(`"`, "", "'", "").Replace(text) == all {
		return all
	}
	return all + " " + source.Hidden
}
