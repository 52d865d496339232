package member

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/encoding/protowire"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
)

// NewID is a random ID for a cluster, never 0.
func NewID() (facts.ID, error) {
	var b [8]byte
	for {
		if _, err := rand.Read(b[:]); err != nil {
			return 0, err
		}
		if id := facts.ID(binary.LittleEndian.Uint64(b[:])); id != 0 {
			return id, nil
		}
	}
}

// Heir is the ID as which a host may go on with these files: the member that has its peer URLs, else the one that the files belong to. `etcdctl
// backup` gives its copy an ID that is in no member list; then it is the first of the list.
func (s *State) Heir(peerURLs []string) (facts.ID, error) {
	if len(s.atEnd) == 0 {
		return 0, fault.New(fault.Corrupt, "the log names no member of its cluster")
	}
	own := s.atEnd[0].ID
	for _, p := range s.atEnd {
		if len(peerURLs) > 0 && facts.SameURLs(p.PeerURLs, peerURLs) {
			return p.ID, nil
		}
		if p.ID == s.ID {
			own = p.ID
		}
	}
	return own, nil
}

// Reissue writes the log in walDir to the new directory to, as the log of another cluster. No entry changes or moves, so the v2 store, the
// database and its consistent index fit as before; only the metadata record, which begins each segment, is new, and with it the running checksum.
// The cluster's ID is nowhere else. s is the member as Read returned it: it must not be running, and it must be undamaged.
func (s *State) Reissue(walDir, to string, id, cluster facts.ID) error {
	if len(s.Damage) > 0 {
		return s.Damage[0]
	}
	all, err := segments(walDir)
	if err != nil {
		return err
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	list := neededFrom(all, s.SnapshotIndex)
	w := reissuer{metadata: encodeIdentity(id, cluster)}
	for i, seg := range list {
		if err := w.segment(filepath.Join(walDir, seg.Name), filepath.Join(to, seg.Name), i == len(list)-1); err != nil {
			return fault.Wrap(fault.Corrupt, err, "%s", seg.Name)
		}
	}
	return nil
}

func encodeIdentity(id, cluster facts.ID) []byte {
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(id))
	return protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), uint64(cluster))
}

// reissuer carries both running checksums from segment to segment: the one that is read, and the one that is written.
type reissuer struct {
	metadata []byte
	was, now uint32
}

func (w *reissuer) segment(from, to string, last bool) (err error) {
	in, size, err := openRegular(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	records := newSegmentReader(in, size, w.was, last)
	for {
		r, err := records.next()
		var bad *badRecord
		if errors.Is(err, errEnd) || errors.As(err, &bad) && bad.torn { // a torn record was never acknowledged
			w.was = records.crc
			return out.Sync()
		}
		if err != nil {
			return err
		}
		if err := w.record(out, r); err != nil {
			return err
		}
	}
}

func (w *reissuer) record(out io.Writer, r record) error {
	data := r.Data
	switch r.Type {
	case typeMetadata:
		data = w.metadata
	case typeCRC:
		data = nil
	}
	frame, body, crc := encodeRecord(r.Type, w.now, data)
	w.now = crc
	_, err := out.Write(append(frame, body...))
	return err
}
