// Package yamldoc reads and edits inventories in YAML format. yaml.v3 tells where a node is, and edits replace, add or comment out lines.
package yamldoc

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/inventory/source"
	"etcd-quorum-restore/modules/internal/yamlfile"
)

// ErrNotYAML means that the text is no YAML mapping: Ansible then reads it as INI.
var ErrNotYAML = errors.New("the file is not a YAML mapping of groups")

// Doc is an inventory file in YAML format: its lines, and the places of its groups and hosts in them.
type Doc struct {
	lines  []source.Line
	groups []groupNode
	hosts  []hostNode
	marked []markLines
	budget int // nodes that may still be read: nested aliases can mean more than fits into memory
	depth  int // of groups within groups: an alias can lie within what it means
}

// groupNode is one place that names a group; a group may have several.
type groupNode struct {
	name, parent string
	key, value   *yaml.Node
	siblings     *yaml.Node // the mapping that key is in
	hostsKey     *yaml.Node // nil if the group has no hosts here
	hosts        *yaml.Node
	vars         []pair
	shared       bool // reached through an alias or a merge: the text is also used elsewhere
}

// hostNode is one entry of a group's hosts.
type hostNode struct {
	group      string
	key, value *yaml.Node
	list       *yaml.Node // the mapping of hosts; nil for `hosts: name`
	pattern    source.Pattern
	names      []string
	vars       []source.Variable
	shared     bool
}

type pair struct {
	key, value *yaml.Node
	shared     bool
}

func Parse(text string) (*Doc, error) {
	var root yaml.Node
	dec := yaml.NewDecoder(strings.NewReader(text))
	if err := dec.Decode(&root); err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrNotYAML, yamlfile.Problem(err))
	}
	if len(root.Content) != 1 || root.Content[0].Kind != yaml.MappingNode {
		return nil, ErrNotYAML
	}
	if err := dec.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file has more than one YAML document, and Ansible reads one")
	}
	doc := &Doc{lines: source.SplitLines(text), budget: 8*len(text) + 1<<10}
	if err := source.CheckText(doc.lines); err != nil {
		return nil, err
	}
	top, err := doc.pairs(root.Content[0], false)
	if err != nil {
		return nil, err
	}
	for _, p := range top {
		if err := doc.addGroupNode("", p, root.Content[0]); err != nil {
			return nil, err
		}
	}
	doc.findMarks()
	return doc, nil
}

// pairs lists a mapping's keys and values as PyYAML builds them: merged ones first, aliases followed. A duplicate key is an error: the later one
// wins in Ansible, and an edit of the earlier one would have no effect.
func (d *Doc) pairs(n *yaml.Node, shared bool) ([]pair, error) {
	n, shared = follow(n, shared)
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil, nil
	}
	if n.Kind != yaml.MappingNode {
		return nil, source.LineError(n.Line, "expected a mapping")
	}
	var merged, own []pair
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if d.budget--; d.budget < 0 {
			return nil, source.LineError(n.Line, "too many nested aliases")
		}
		key, value := n.Content[i], n.Content[i+1]
		if key.Tag == "!!merge" {
			more, err := d.mergedPairs(value)
			if err != nil {
				return nil, err
			}
			merged = append(merged, more...)
			continue
		}
		if err := checkKey(key, seen); err != nil {
			return nil, err
		}
		own = append(own, pair{key, value, shared})
	}
	for _, m := range merged {
		if !seen[m.key.Value] {
			own = append(own, m)
		}
	}
	return own, nil
}

func (d *Doc) mergedPairs(value *yaml.Node) ([]pair, error) {
	value, _ = follow(value, true)
	if value.Kind != yaml.SequenceNode {
		return d.pairs(value, true)
	}
	return nil, source.LineError(value.Line, "a merge of several mappings is more than this can follow; write the keys out")
}

func checkKey(key *yaml.Node, seen map[string]bool) error {
	if key.Kind != yaml.ScalarNode || key.Tag != "!!str" || key.Style == 0 && looksTyped.MatchString(key.Value) && !isIP(key.Value) {
		return source.LineError(key.Line, "the key %q is not text to YAML; quote it", key.Value)
	}
	if seen[key.Value] {
		return source.LineError(key.Line, "the key %q is there twice in one mapping, and only the last one counts", key.Value)
	}
	seen[key.Value] = true
	return nil
}

func follow(n *yaml.Node, shared bool) (*yaml.Node, bool) {
	for n.Kind == yaml.AliasNode {
		n, shared = n.Alias, true
	}
	return n, shared
}

// addGroupNode reads one group and, below it, its children.
func (d *Doc) addGroupNode(parent string, p pair, siblings *yaml.Node) error {
	if d.depth++; d.depth > 64 {
		return source.LineError(p.key.Line, "too many groups within groups")
	}
	defer func() { d.depth-- }()
	value, shared := follow(p.value, p.shared)
	if value.Kind != yaml.MappingNode && value.Tag != "!!null" {
		return nil // Ansible skips it with a warning
	}
	parts, err := d.pairs(value, shared)
	if err != nil {
		return err
	}
	g := groupNode{name: p.key.Value, parent: parent, key: p.key, value: value, siblings: siblings, shared: shared}
	var children []pair
	var within *yaml.Node
	for _, part := range parts {
		switch part.key.Value {
		case "hosts":
			g.hostsKey, g.hosts = part.key, part.value
			g.shared = g.shared || part.shared
		case "vars":
			g.vars, err = d.pairsOf(part)
		case "children":
			within, _ = follow(part.value, false)
			children, err = d.pairsOf(part)
		}
		if err != nil {
			return err
		}
	}
	d.groups = append(d.groups, g)
	if err := d.addHosts(g); err != nil {
		return err
	}
	for _, c := range children {
		if err := d.addGroupNode(g.name, c, within); err != nil {
			return err
		}
	}
	return nil
}

// pairsOf is pairs for vars, children and hosts, where Ansible also takes a word for a mapping with one empty key.
func (d *Doc) pairsOf(p pair) ([]pair, error) {
	value, shared := follow(p.value, p.shared)
	if value.Kind == yaml.ScalarNode && value.Tag == "!!str" {
		return []pair{{value, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: value.Line}, shared}}, nil
	}
	return d.pairs(value, shared)
}

func (d *Doc) addHosts(g groupNode) error {
	if g.hostsKey == nil {
		return nil
	}
	list, aliased := follow(g.hosts, g.shared)
	if list.Kind != yaml.MappingNode {
		list = nil
	}
	found, err := d.pairsOf(pair{g.hostsKey, g.hosts, g.shared})
	if err != nil {
		return err
	}
	for _, p := range found {
		h := hostNode{group: g.name, key: p.key, value: p.value, list: list, shared: p.shared || aliased, pattern: source.ParsePattern(p.key.Value)}
		if h.names, err = h.pattern.Names(); err != nil {
			return source.LineError(p.key.Line, "%s: %v", source.Visible(p.key.Value), err)
		}
		if h.vars, err = d.variables(p.value); err != nil {
			return err
		}
		d.hosts = append(d.hosts, h)
	}
	return nil
}
