// Package record reads and writes the small JSON files beside etcd.conf that say what is under way on a host: fenced.json, forcing.json and
// restoring.json, for example. They survive a power cut, a reboot and the loss of the control node.
package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/safefile"
)

// ErrMalformed means that the record exists, and is not JSON of the expected form. Something was begun here.
var ErrMalformed = errors.New("the record cannot be parsed")

// Read returns nil where there is no record. Keys that T does not have are ignored: a newer version may have written them.
func Read[T any](path string) (*T, error) {
	raw, err := readfile.Read(path, readfile.Text)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var r *T
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, fmt.Errorf("%s: %w: %v", path, ErrMalformed, err)
	}
	if r == nil { // the JSON null
		return nil, fmt.Errorf("%s: %w: null", path, ErrMalformed)
	}
	return r, nil
}

// Write replaces the record durably: a reader sees either the old one or the new one in full.
func Write(path string, r any) error {
	raw, err := Bytes(r)
	if err == nil {
		err = safefile.Write(path, raw, 0o644)
	}
	if err != nil {
		return fault.Wrap(fault.Internal, err, "write %s", path)
	}
	return nil
}

// Bytes is the record's text, for who writes several files at once.
func Bytes(r any) ([]byte, error) {
	raw, err := json.MarshalIndent(r, "", "  ")
	return append(raw, '\n'), err
}
