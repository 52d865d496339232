package member

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxSnapshot bounds the memory for a .snap file: it holds the v2 store only, a few kB to a few MB on OpenShift 3.11.
const maxSnapshot = 512 << 20

// snapshot is the newest valid .snap file: the v2 store, and with it the membership, as of Index.
type snapshot struct {
	File        string
	Index, Term uint64
	Members     []Peer
	V2Paths     []string
}

// newestSnapshot goes from the newest file name to older ones, as etcd does, but renames nothing. Broken ones are reported.
func newestSnapshot(dir string) (*snapshot, []Damage, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	var files []string
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasSuffix(e.Name(), ".snap") {
			files = append(files, e.Name())
		}
	}
	sort.Sort(sort.Reverse(sort.StringSlice(files)))
	var broken []Damage
	for _, name := range files {
		s, err := readSnapshot(filepath.Join(dir, name))
		if err == nil {
			return s, broken, nil
		}
		if os.IsPermission(err) {
			return nil, nil, err
		}
		broken = append(broken, Damage{Code: "broken_snapshot", File: name, Text: err.Error()})
	}
	return nil, broken, nil
}

func readSnapshot(path string) (*snapshot, error) {
	raw, err := readBounded(path, maxSnapshot)
	if err != nil {
		return nil, err
	}
	var sum uint64
	var data []byte
	err = fieldsOf(raw, func(num protowire.Number, v uint64, b []byte) error {
		switch num {
		case 1:
			sum = v
		case 2:
			data = b
		}
		return nil
	})
	if err != nil || len(data) == 0 {
		return nil, fmt.Errorf("not a snapshot of etcd")
	}
	if crc32.Checksum(data, castagnoli) != uint32(sum) {
		return nil, fmt.Errorf("the checksum is wrong")
	}
	s := &snapshot{File: filepath.Base(path)}
	var store []byte
	err = fieldsOf(data, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case 1:
			store = b
		case 2:
			return s.readMetadata(b)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, s.readStore(store)
}

func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() > limit {
		return nil, fmt.Errorf("%d bytes, more than %d", st.Size(), limit)
	}
	return io.ReadAll(io.LimitReader(f, limit))
}

// readMetadata: raftpb.SnapshotMetadata {1: conf state, 2: index, 3: term}.
func (s *snapshot) readMetadata(raw []byte) error {
	return fieldsOf(raw, func(num protowire.Number, v uint64, _ []byte) error {
		switch num {
		case 2:
			s.Index = v
		case 3:
			s.Term = v
		}
		return nil
	})
}

// node is a node of the v2 store's JSON. Values of user keys are never kept.
type node struct {
	Path     string
	Value    string
	Children map[string]*node
}

func (s *snapshot) readStore(raw []byte) error {
	var store struct{ Root *node }
	if err := json.Unmarshal(raw, &store); err != nil || store.Root == nil {
		return fmt.Errorf("the v2 store in it is not JSON of etcd's form")
	}
	for key, n := range store.Root.at("0", "members") {
		id, err := strconv.ParseUint(key, 16, 64)
		if err != nil {
			return fmt.Errorf("the v2 store lists a member %q", key)
		}
		p := Peer{ID: id}
		var raft struct {
			PeerURLs []string `json:"peerURLs"`
		}
		var own attributes
		if err := n.decode("raftAttributes", &raft); err != nil {
			return err
		}
		if err := n.decode("attributes", &own); err != nil {
			return err
		}
		p.PeerURLs, p.Name, p.ClientURLs = raft.PeerURLs, own.Name, own.ClientURLs
		s.Members = append(s.Members, p)
	}
	sort.Slice(s.Members, func(i, j int) bool { return s.Members[i].ID < s.Members[j].ID })
	for _, n := range store.Root.at("1") {
		n.leaves(&s.V2Paths)
	}
	return nil
}

func (n *node) at(path ...string) map[string]*node {
	for _, name := range path {
		if n = n.Children[name]; n == nil {
			return nil
		}
	}
	return n.Children
}

func (n *node) decode(child string, out any) error {
	c := n.Children[child]
	if c == nil {
		return nil
	}
	if err := json.Unmarshal([]byte(c.Value), out); err != nil {
		return fmt.Errorf("member %s in the v2 store: %s is not JSON", n.Path, child)
	}
	return nil
}

// leaves collects the paths of user keys; a node without a children map is a key, one with an empty map a directory.
func (n *node) leaves(out *[]string) {
	if n == nil {
		return
	}
	if n.Children == nil {
		*out = append(*out, n.Path)
		return
	}
	for _, c := range n.Children {
		c.leaves(out)
	}
}
