package member

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"etcd-quorum-restore/modules/internal/fault"
)

// Target is the last segment, as it is written to.
type Target interface {
	io.WriterAt
	Sync() error
	Truncate(size int64) error
}

// changeTail appends plan's batch to the log of a stopped member, under the locks that etcd would need. A plan that refuses changes nothing; an
// empty batch clears what an interrupted write has left.
func changeTail(ctx context.Context, dataDir, walDir string, wrap func(*os.File) Target, plan func(*State, *lockedTail) (batch, error)) (err error) {
	walDir = walDirOf(dataDir, walDir)
	if _, err := os.Stat(dataDir); err != nil {
		return fault.Wrap(fault.Refused, err, "no member in %s", dataDir)
	}
	tail, err := lockTail(dataDir, walDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tail.Close()) }()
	s, err := Read(ctx, dataDir, walDir)
	if err != nil {
		return fault.Wrap(fault.Corrupt, err, "read %s", dataDir)
	}
	b, err := plan(s, tail)
	if err != nil {
		return err
	}
	if err := tail.unchanged(walDir, s); err != nil {
		return err
	}
	out := tailWriter{out: wrap(tail.File), file: tail.File, size: tail.before.Size(), end: s.end}
	if len(b) == 0 && !s.end.rest {
		return out.out.Sync() // an earlier run may have been killed between its last write and the fsync
	}
	if err := out.clear(s.Torn); err != nil {
		return fault.Wrap(fault.Internal, err, "clear the end of %s; run this again", tail.Name())
	}
	if err := out.append(b); err != nil {
		return fault.Wrap(fault.Internal, err, "write to %s; run this again", tail.Name())
	}
	return nil
}

// tailWriter writes behind the end of the log. etcd ends the log at a zero frame, and does not repair a record that was torn within its first 31
// bytes. So a frame is zeroed before, and written after, the bytes that follow it: at every moment etcd accepts the file.
type tailWriter struct {
	out  Target
	file *os.File // the same file, for reading
	size int64
	end  logEnd
}

// clear zeroes a torn record's frame, so that etcd ends the log there, and then all that follows: behind a record written over a torn one, the
// rest of the torn one would follow, not the end of the log.
func (w *tailWriter) clear(torn bool) error {
	behind := min(w.end.offset+frameBytes, w.size)
	if torn {
		if err := w.write(make([]byte, behind-w.end.offset), w.end.offset); err != nil {
			return err
		}
	}
	wrote := false
	err := dataIn(w.file, behind, w.size, func(offset int64, piece []byte) (bool, error) {
		wrote = true
		_, err := w.out.WriteAt(make([]byte, len(piece)), offset)
		return true, err
	})
	if err == nil && wrote {
		err = w.out.Sync()
	}
	if err != nil {
		return err
	}
	return w.lengthen(w.size)
}

// lengthen extends the file to need, and never leaves a piece of a frame at its end: that looks torn. A segment that etcd repaired has no free
// space at all.
func (w *tailWriter) lengthen(need int64) error {
	need = (max(need, w.size) + 7) &^ 7
	if need == w.size {
		return nil
	}
	if err := w.out.Truncate(need); err != nil {
		return fmt.Errorf("lengthen it to %d bytes: %w", need, err)
	}
	w.size = need
	return w.out.Sync()
}

// append writes a batch: first all but its first frame, then that frame, which makes all of it part of the log. Written record by record, a kill
// would leave a log with only some of the changes.
func (w *tailWriter) append(b batch) error {
	if len(b) == 0 {
		return nil
	}
	raw := b.encode(w.end.crc)
	if err := w.lengthen(w.end.offset + int64(len(raw))); err != nil {
		return err
	}
	if err := w.write(raw[frameBytes:], w.end.offset+frameBytes); err != nil {
		return err
	}
	return w.write(raw[:frameBytes], w.end.offset)
}

func (w *tailWriter) write(b []byte, at int64) error {
	if _, err := w.out.WriteAt(b, at); err != nil {
		return err
	}
	return w.out.Sync()
}
