package member

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/readfile"
)

// maxSnapshot bounds the memory for a .snap file: it holds the v2 store only, a few kB to a few MB on OpenShift 3.11.
const maxSnapshot = 128 << 20

// snapshot is the newest valid .snap file: the v2 store, and with it the membership, as of Index.
type snapshot struct {
	Index, Term uint64
	Members     []Peer
	Removed     []facts.ID
	Voters      []facts.ID // raft's list of members
	V2Paths     []string
}

// errBroken marks a .snap file that etcd skips (and renames): it takes the next older one.
var errBroken = errors.New("not a whole snapshot")

// snapshotFiles are the names of .snap files, the newest first, as etcd sorts them.
func snapshotFiles(dir string) ([]string, error) {
	entries, err := readfile.Dir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".snap") {
			files = append(files, e.Name())
		}
	}
	slices.Reverse(files)
	return files, nil
}

// newestSnapshot tries the newest file first, then older ones, as etcd does, but renames nothing. nil means that there is no snapshot.
func (s *State) newestSnapshot(ctx context.Context, dir string) (*snapshot, error) {
	files, err := snapshotFiles(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, name := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		snap, err := readSnapshot(filepath.Join(dir, name))
		switch {
		case err == nil:
			return snap, nil
		case errors.Is(err, os.ErrNotExist):
			return nil, errMoved // a running etcd has removed it
		case os.IsPermission(err):
			return nil, err
		case errors.Is(err, errBroken):
			s.BrokenSnapshots = append(s.BrokenSnapshots, Damage{Code: "broken_snapshot", File: name, Text: err.Error()})
			continue
		}
		var d Damage
		if !errors.As(err, &d) {
			d = Damage{Code: "unreadable", Text: err.Error()}
		}
		s.damage(d.Code, name, d.Text)
		return snap, nil
	}
	return nil, nil
}

// readSnapshot reads snappb.Snapshot {1: crc, 2: data}; the data is raftpb.Snapshot {1: data, 2: metadata}, the metadata {1: conf state, 2:
// index, 3: term}.
func readSnapshot(path string) (*snapshot, error) {
	raw, err := readBounded(path, maxSnapshot)
	if err != nil {
		return nil, err
	}
	var sum uint64
	var data, store, meta, voters []byte
	if _, err := message(raw, &sum, &data); err != nil || len(data) == 0 || uint32(sum) == 0 {
		return nil, fmt.Errorf("%w of etcd", errBroken)
	}
	if crc32.Checksum(data, castagnoli) != uint32(sum) {
		return nil, fmt.Errorf("%w: its checksum is wrong", errBroken)
	}
	s := &snapshot{}
	if _, err := message(data, &store, &meta); err != nil {
		return nil, fmt.Errorf("%w: %w", errBroken, err)
	}
	if _, err := message(meta, &voters, &s.Index, &s.Term); err != nil {
		return nil, fmt.Errorf("%w: %w", errBroken, err)
	}
	if s.Voters, err = decodeVoters(voters); err != nil {
		return nil, fmt.Errorf("%w: %w", errBroken, err)
	}
	if err := s.readStore(store); err != nil {
		return s, Damage{Code: "undecodable_snapshot", Text: err.Error()}
	}
	return s, nil
}

func readBounded(path string, limit int64) ([]byte, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > limit {
		return nil, Damage{Code: "snapshot_too_large", Text: fmt.Sprintf("%d bytes, more than %d", size, limit)}
	}
	raw := make([]byte, size)
	n, err := io.ReadFull(f, raw)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil // etcd cut it while it was read; the checksum decides
	}
	return raw[:n], err
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
		return errors.New("the v2 store in it is not JSON of etcd's form")
	}
	for key, n := range store.Root.at("0", "members") {
		p, err := n.peer(key)
		if err != nil {
			return err
		}
		s.Members = append(s.Members, p)
	}
	sort.Slice(s.Members, func(i, j int) bool { return s.Members[i].ID < s.Members[j].ID })
	for key := range store.Root.at("0", "removed_members") {
		id, err := facts.ParseID(key)
		if err != nil {
			return fmt.Errorf("the v2 store lists a removed member %q", key)
		}
		s.Removed = append(s.Removed, id)
	}
	for _, n := range store.Root.at("1") {
		n.leaves(&s.V2Paths)
	}
	return nil
}

func (n *node) peer(key string) (Peer, error) {
	id, err := facts.ParseID(key)
	if err != nil || n == nil {
		return Peer{}, fmt.Errorf("the v2 store lists a member %q", key)
	}
	var raft struct {
		PeerURLs []string `json:"peerURLs"`
	}
	var own attributes
	err = errors.Join(n.decode("raftAttributes", &raft), n.decode("attributes", &own))
	return Peer{ID: id, Name: own.Name, PeerURLs: raft.PeerURLs, ClientURLs: own.ClientURLs}, err
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
