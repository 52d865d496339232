package manifest

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/yamlfile"
)

// Change is what a recovery does to the installer's manifest.
type Change struct {
	Started   string // the annotation's value; "" removes the annotation
	DropProbe bool   // without quorum the probe kills etcd 27 seconds after the loss, and every 70 seconds from then on
	Force     bool   // --force-new-cluster, and no restart by the kubelet: a forced start happens once
}

// Edit returns the manifest with the change, and without any other difference.
func (m *Manifest) Edit(c Change) ([]byte, error) {
	var cuts []splice
	for _, plan := range []func(Change) ([]splice, error){m.annotate, m.dropProbe, m.force} {
		more, err := plan(c)
		if err != nil {
			return nil, err
		}
		cuts = append(cuts, more...)
	}
	out := apply(m.data, cuts)
	return out, m.check(out, c)
}

// Same tells whether two manifests differ in nothing but the annotation.
func Same(a, b []byte) bool {
	x, errX := stripped(a)
	y, errY := stripped(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func stripped(data []byte) ([]byte, error) {
	m, err := Parse(data)
	if err != nil {
		return nil, err
	}
	return m.Edit(Change{})
}

// splice replaces data[from:to].
type splice struct {
	from, to int
	text     string
}

func apply(data []byte, cuts []splice) []byte {
	slices.SortStableFunc(cuts, func(a, b splice) int { return a.from - b.from })
	var out []byte
	at := 0
	for _, c := range cuts {
		out = append(append(out, data[at:c.from]...), c.text...)
		at = c.to
	}
	return append(out, data[at:]...)
}

func (m *Manifest) annotate(c Change) ([]splice, error) {
	line := fmt.Sprintf("%s: %q\n", Annotation, c.Started)
	_, list := lookup(m.meta, "annotations")
	if list == nil {
		if c.Started == "" {
			return nil, nil
		}
		first, indent := m.before(m.meta.Content[0])
		return []splice{{first, first, indent + "annotations:\n" + indent + "  " + line}}, nil
	}
	if err := block(list, "metadata.annotations"); err != nil {
		return nil, err
	}
	if key, _ := lookup(list, Annotation); key != nil {
		from, to, err := m.extent(key)
		if err != nil || c.Started != "" {
			return []splice{{from, to, strings.Repeat(" ", key.Column-1) + line}}, err
		}
		if len(list.Content) == 2 { // an earlier edit has put it there, with the key above it
			from, _, err = m.extent(m.keyOf(m.meta, list))
		}
		return []splice{{from, to, ""}}, err
	}
	if c.Started == "" {
		return nil, nil
	}
	if list.Content[0].Line == m.keyOf(m.meta, list).Line {
		return nil, refuse(list.Line, "the first annotation is not on a line of its own")
	}
	first, indent := m.before(list.Content[0])
	return []splice{{first, first, indent + line}}, nil
}

func (m *Manifest) keyOf(n, value *yaml.Node) *yaml.Node {
	at := slices.Index(n.Content, value)
	return n.Content[at-1]
}

func (m *Manifest) dropProbe(c Change) ([]splice, error) {
	key, _ := lookup(m.entry, "livenessProbe")
	if key == nil || !c.DropProbe {
		return nil, nil
	}
	if err := m.ownLine(key); err != nil {
		return nil, err
	}
	from, to, err := m.extent(key)
	return []splice{{from, to, ""}}, err
}

// force sets or removes the variable, and with it the restart policy: a crash of a forced etcd must not become a second forced start.
func (m *Manifest) force(c Change) ([]splice, error) {
	asks, _ := m.Forces()
	if !c.Force {
		return nil, nil
	}
	if asks {
		return nil, refuse(m.entry.Line, "the manifest asks for a forced start by itself")
	}
	env, err := m.addEnv()
	if err != nil {
		return nil, err
	}
	never, err := m.neverRestart()
	return []splice{env, never}, err
}

func (m *Manifest) addEnv() (splice, error) {
	item := func(indent string) string {
		return fmt.Sprintf("%s- name: %s\n%s  value: 'true'\n", indent, ForceKey, indent)
	}
	_, list := lookup(m.entry, "env")
	if list == nil {
		second := m.entry.Content[2] // a container has at least a name and an image
		if err := m.ownLine(second); err != nil {
			return splice{}, err
		}
		at, indent := m.before(second)
		return splice{at, at, indent + "env:\n" + item(indent)}, nil
	}
	if list.Kind != yaml.SequenceNode || list.Style&yaml.FlowStyle != 0 || len(list.Content) == 0 {
		return splice{}, refuse(list.Line, "env is no list with one entry a line")
	}
	for _, e := range list.Content {
		if _, name := lookup(e, "name"); name != nil && name.Value == ForceKey {
			return splice{}, refuse(e.Line, "%s is set already", ForceKey)
		}
	}
	at := m.lines[list.Line-1]
	if list.Line == m.keyOf(m.entry, list).Line {
		return splice{}, refuse(list.Line, "env's first entry is not on a line of its own")
	}
	return splice{at, at, item(strings.Repeat(" ", list.Column-1))}, nil
}

func (m *Manifest) neverRestart() (splice, error) {
	key, _ := lookup(m.spec, "restartPolicy")
	if key == nil {
		at, indent := m.before(m.spec.Content[0])
		return splice{at, at, indent + "restartPolicy: Never\n"}, m.ownLine(m.spec.Content[0])
	}
	from, to, err := m.extent(key)
	return splice{from, to, strings.Repeat(" ", key.Column-1) + "restartPolicy: Never\n"}, err
}

// before is the start of a node's line, and the blanks before the node.
func (m *Manifest) before(n *yaml.Node) (at int, indent string) {
	return m.lines[n.Line-1], strings.Repeat(" ", n.Column-1)
}

// ownLine refuses a key behind the dash of a list's entry, or behind another key.
func (m *Manifest) ownLine(key *yaml.Node) error {
	before := m.data[m.lines[key.Line-1]:]
	if len(bytes.TrimLeft(before[:min(key.Column-1, len(before))], " ")) > 0 {
		return refuse(key.Line, "%s is not on a line of its own", key.Value)
	}
	return nil
}

// extent is the key's line and all lines that are indented deeper: its value. Comments and blank lines behind it stay.
func (m *Manifest) extent(key *yaml.Node) (from, to int, err error) {
	if err := m.ownLine(key); err != nil {
		return 0, 0, err
	}
	end := key.Line // the index of the next line
	for i := end; i+1 < len(m.lines); i++ {
		text := string(m.data[m.lines[i]:m.lines[i+1]])
		trimmed := strings.TrimLeft(text, " ")
		if strings.TrimSpace(text) == "" {
			continue
		}
		if len(text)-len(trimmed) < key.Column {
			break
		}
		end = i + 1
	}
	if m.lines[end] == len(m.data) && m.data[len(m.data)-1] != '\n' {
		return 0, 0, refuse(key.Line, "the file's last line has no end")
	}
	return m.lines[key.Line-1], m.lines[end], nil
}

// check reads the result again: it must be the same pod with the change, in every key.
func (m *Manifest) check(out []byte, c Change) error {
	got, err := Parse(out)
	if err != nil {
		return err
	}
	var is, want map[string]any
	if err := yaml.Unmarshal(out, &is); err != nil {
		return yamlfile.Problem(err)
	}
	if err := yaml.Unmarshal(m.data, &want); err != nil {
		return yamlfile.Problem(err)
	}
	if expect(want, c) && reflect.DeepEqual(is, want) {
		return nil
	}
	return fault.New(fault.Refused, "line %d: the manifest is written in a way that cannot be edited with certainty", got.entry.Line)
}

// expect makes the change in the decoded pod; false means that a key is not text, so that the pod cannot be walked.
func expect(pod map[string]any, c Change) bool {
	meta, ok := pod["metadata"].(map[string]any)
	spec, ok2 := pod["spec"].(map[string]any)
	if !ok || !ok2 {
		return false
	}
	notes, _ := meta["annotations"].(map[string]any)
	switch {
	case c.Started != "" && notes == nil:
		meta["annotations"] = map[string]any{Annotation: c.Started}
	case c.Started != "":
		notes[Annotation] = c.Started
	case notes != nil:
		delete(notes, Annotation)
		if len(notes) == 0 {
			delete(meta, "annotations")
		}
	}
	boxes, _ := spec["containers"].([]any)
	for _, each := range boxes {
		if box, ok := each.(map[string]any); ok && box["name"] == container {
			expectInside(box, c)
		}
	}
	if c.Force {
		spec["restartPolicy"] = "Never"
	}
	return true
}

func expectInside(box map[string]any, c Change) {
	if c.DropProbe {
		delete(box, "livenessProbe")
	}
	if c.Force {
		env, _ := box["env"].([]any)
		box["env"] = append([]any{map[string]any{"name": ForceKey, "value": "true"}}, env...)
	}
}
