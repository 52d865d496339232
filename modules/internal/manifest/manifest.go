package manifest

import (
	"bytes"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/yamlfile"
)

// ForceKey is the variable that makes etcd force a new cluster. Annotation distinguishes one start of the pod from the next: the kubelet takes
// the same bytes for the same pod, whose restarts it delays for up to 300 seconds.
const (
	ForceKey   = "ETCD_FORCE_NEW_CLUSTER"
	Annotation = "etcd-restore/started"
	container  = "etcd"
)

// Manifest is etcd's manifest, read.
type Manifest struct {
	data              []byte
	lines             []int // offset of each line's start, and of the end
	meta, spec, entry *yaml.Node
	pod               pod
}

// pod is the part of a pod that is read here; the names are Kubernetes' own.
type pod struct {
	Kind     string
	Metadata struct {
		Name, Namespace string
		Annotations     map[string]string
	}
	Spec struct {
		Containers    []containerSpec
		RestartPolicy string `yaml:"restartPolicy"`
		Grace         *int   `yaml:"terminationGracePeriodSeconds"`
		Volumes       []struct {
			Name     string
			HostPath struct{ Path string } `yaml:"hostPath"`
		}
	}
}

type containerSpec struct {
	Name, Image   string
	Command, Args []string
	Env           []struct{ Name, Value string }
	LivenessProbe any `yaml:"livenessProbe"`
	VolumeMounts  []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
	} `yaml:"volumeMounts"`
}

// RunsEtcd tells whether a file in the kubelet's directory is a pod with a container of etcd's name. All other pods are left alone.
func RunsEtcd(data []byte) bool {
	var p pod
	if yaml.Unmarshal(data, &p) != nil || p.Kind != "Pod" {
		return false
	}
	for _, c := range p.Spec.Containers {
		if c.Name == container {
			return true
		}
	}
	return false
}

// Parse reads a manifest and refuses what could not be edited safely.
func Parse(data []byte) (*Manifest, error) {
	root, err := document(data)
	if err != nil {
		return nil, err
	}
	m := &Manifest{data: bytes.Clone(data), lines: lineStarts(data)}
	if err := root.Decode(&m.pod); err != nil {
		return nil, fault.Wrap(fault.Invalid, yamlfile.Problem(err), "this is no pod")
	}
	if m.pod.Kind != "Pod" {
		return nil, refuse(root.Line, "it is of another kind, expected Pod")
	}
	if m.meta, err = child(root, "metadata"); err != nil {
		return nil, err
	}
	if m.spec, err = child(root, "spec"); err != nil {
		return nil, err
	}
	m.entry, err = etcdOf(m.spec)
	return m, err
}

func document(data []byte) (*yaml.Node, error) {
	if !utf8.Valid(data) {
		return nil, fault.New(fault.Invalid, "the manifest is not UTF-8")
	}
	if at := strings.IndexAny(string(data), "\r\t\ufeff\u0085\u2028\u2029"); at >= 0 {
		return nil, refuse(1+bytes.Count(data[:at], []byte("\n")), "there is a tab, a byte order mark or a line end other than LF, none of which the installer writes")
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, fault.New(fault.Invalid, "the manifest is empty")
	case err != nil:
		return nil, fault.Wrap(fault.Invalid, yamlfile.Problem(err), "the manifest is not valid YAML")
	}
	if err := d.Decode(&next); !errors.Is(err, io.EOF) {
		return nil, refuse(max(next.Line, 1), "there is a second YAML document, where one was expected")
	}
	root := doc.Content[0]
	if err := plain(root); err != nil {
		return nil, err
	}
	return root, block(root, "the manifest")
}

// plain refuses anchors, aliases and merged keys: an edit of one place would change another.
func plain(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return refuse(n.Line, "there is an anchor or an alias, which the installer does not write")
	}
	for _, c := range n.Content {
		if err := plain(c); err != nil {
			return err
		}
	}
	return nil
}

// block refuses braces and brackets: their entries are not lines of their own.
func block(n *yaml.Node, name string) error {
	if n.Kind != yaml.MappingNode {
		return refuse(n.Line, "%s is no mapping", name)
	}
	if n.Style&yaml.FlowStyle != 0 {
		return refuse(n.Line, "%s is written in braces, expected one key a line", name)
	}
	return nil
}

func child(n *yaml.Node, key string) (*yaml.Node, error) {
	_, value := lookup(n, key)
	if value == nil {
		return nil, refuse(n.Line, "there is no key %s", key)
	}
	return value, block(value, key)
}

// lookup finds a key and its value; yaml.v3 has refused keys that are given twice.
func lookup(n *yaml.Node, key string) (k, v *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

func etcdOf(spec *yaml.Node) (*yaml.Node, error) {
	_, list := lookup(spec, "containers")
	if list == nil || list.Kind != yaml.SequenceNode || list.Style&yaml.FlowStyle != 0 {
		return nil, refuse(spec.Line, "spec has no list of containers, one a line")
	}
	var found *yaml.Node
	for _, c := range list.Content {
		if _, name := lookup(c, "name"); name == nil || name.Value != container {
			continue
		}
		if found != nil {
			return nil, refuse(c.Line, "a second container is called %s, the first is in line %d", container, found.Line)
		}
		found = c
	}
	if found == nil {
		return nil, refuse(list.Line, "no container is called %s", container)
	}
	if _, image := lookup(found, "image"); image == nil {
		return nil, refuse(found.Line, "the container %s has no image", container)
	}
	return found, block(found, "the container "+container)
}

func lineStarts(data []byte) []int {
	starts := yamlfile.LineStarts(data)
	if starts[len(starts)-1] != len(data) {
		starts = append(starts, len(data)) // the last line has no end
	}
	return starts
}

func refuse(line int, format string, a ...any) error {
	f := fault.New(fault.Refused, format, a...)
	f.Msg = "line " + strconv.Itoa(line) + ": " + f.Msg
	return f
}

func (m *Manifest) etcd() containerSpec {
	for _, c := range m.pod.Spec.Containers {
		if c.Name == container {
			return c
		}
	}
	return containerSpec{} // Parse has found it
}

// Bytes is the text.
func (m *Manifest) Bytes() []byte { return bytes.Clone(m.data) }

// PodName and Namespace are the pod's; the kubelet adds the host's name to the former.
func (m *Manifest) PodName() string   { return m.pod.Metadata.Name }
func (m *Manifest) Namespace() string { return m.pod.Metadata.Namespace }

// Image is the image that holds etcd and etcdctl.
func (m *Manifest) Image() string { return m.etcd().Image }

// HasProbe tells whether the kubelet asks etcd for its health, and so kills it without quorum.
func (m *Manifest) HasProbe() bool { return m.etcd().LivenessProbe != nil }

// Started is the annotation's value, "" in the installer's own manifest.
func (m *Manifest) Started() string { return m.pod.Metadata.Annotations[Annotation] }

// Grace is how long the kubelet waits between SIGTERM and SIGKILL, in seconds; 30 is Kubernetes' default.
func (m *Manifest) Grace() int {
	if g := m.pod.Spec.Grace; g != nil {
		return *g
	}
	return 30
}

// Forces tells whether this manifest asks for a forced start, and whether it does so in the one way that Edit can undo.
func (m *Manifest) Forces() (asks, byEnv bool) {
	c := m.etcd()
	for _, e := range c.Env {
		if on, err := strconv.ParseBool(e.Value); e.Name == ForceKey && (err != nil || on) {
			return true, true
		}
	}
	text := strings.Join(append(c.Command, c.Args...), "\n")
	return strings.Contains(text, "force-new-cluster") || strings.Contains(text, ForceKey), false
}

// HostPath is the host's path for one in the container; ok is false where no volume of the host holds it.
func (m *Manifest) HostPath(inside string) (outside string, ok bool) {
	inside = path.Clean(inside)
	best := ""
	for _, mount := range m.etcd().VolumeMounts {
		at := path.Clean(mount.MountPath)
		if inside != at && !strings.HasPrefix(inside, strings.TrimSuffix(at, "/")+"/") || len(at) < len(best) {
			continue
		}
		for _, v := range m.pod.Spec.Volumes {
			if v.Name == mount.Name && v.HostPath.Path != "" {
				best, outside, ok = at, path.Join(v.HostPath.Path, strings.TrimPrefix(inside, at)), true
			}
		}
	}
	return outside, ok
}
