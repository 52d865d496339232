package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"

	"etcd-quorum-restore/modules/internal/fault"
)

// snapshotBytes is n bytes of a database and their sum.
func snapshotBytes(n int) []byte {
	data := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	sum := sha256.Sum256(data)
	return append(data, sum[:]...)
}

func TestSaveSnapshot(t *testing.T) {
	good := snapshotBytes(64 << 10)
	for name, r := range map[string]io.Reader{
		"as it is":      bytes.NewReader(good),
		"byte by byte":  iotest.OneByteReader(bytes.NewReader(good)),
		"halves":        iotest.HalfReader(bytes.NewReader(good)),
		"data with EOF": iotest.DataErrReader(bytes.NewReader(good)),
	} {
		path := filepath.Join(t.TempDir(), "db")
		f, err := SaveSnapshot(r, path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		written, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(written, good) {
			t.Errorf("%s: the file is not the stream (%v)", name, err)
		}
		if f.Mode != "0600" || f.Bytes != int64(len(good)) {
			t.Errorf("%s: %+v", name, f)
		}
		whole := sha256.Sum256(good)
		if f.SHA256 != hex.EncodeToString(whole[:]) {
			t.Errorf("%s: the sum %s is not that of the file", name, f.SHA256)
		}
		again, err := VerifySnapshot(path)
		if err != nil || again.SHA256 != f.SHA256 {
			t.Errorf("%s: read back: %+v, %v", name, again, err)
		}
	}
}

// Every way in which a stream can be short or wrong without an error of its own.
func TestBrokenSnapshots(t *testing.T) {
	good := snapshotBytes(8192)
	flipped := bytes.Clone(good)
	flipped[100] ^= 1
	wrongSum := bytes.Clone(good)
	wrongSum[len(wrongSum)-1] ^= 1
	for name, b := range map[string][]byte{
		"empty": {}, "sum only": good[len(good)-32:], "without sum": good[:8192], "one byte short": good[:len(good)-1],
		"one page short": append(bytes.Clone(good[:8192-512]), good[len(good)-32:]...), "cut at a page and 32": good[:4096+32],
		"flipped bit": flipped, "wrong sum": wrongSum, "something behind": append(bytes.Clone(good), make([]byte, 512)...),
	} {
		_, err := SaveSnapshot(bytes.NewReader(b), filepath.Join(t.TempDir(), "db"))
		if fault.KindOf(err) != fault.Corrupt {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSnapshotErrors(t *testing.T) {
	good := snapshotBytes(8192)
	broken := errors.New("connection lost")
	_, err := SaveSnapshot(io.MultiReader(bytes.NewReader(good[:5000]), iotest.ErrReader(broken)), filepath.Join(t.TempDir(), "db"))
	if !errors.Is(err, broken) {
		t.Errorf("the stream's own error is lost: %v", err)
	}
	taken := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(taken, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := SaveSnapshot(bytes.NewReader(good), taken); err == nil {
		t.Error("an existing file was overwritten")
	}
	if content, err := os.ReadFile(taken); err != nil || string(content) != "mine" {
		t.Errorf("an existing file was touched: %q, %v", content, err)
	}
}
