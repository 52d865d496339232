package etcd

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"strconv"

	"etcd-quorum-restore/modules/internal/fault"
)

// V2Store is what one member's v2 store holds, at one moment of its own: v2 has no revision to ask for, but each answer is of one index,
// and a member at the same index has the same keys.
type V2Store struct {
	Index uint64
	Keys  map[string]V2Key
}

// V2Key is a key without its value: when it was written, and a sum that tells two values apart.
type V2Key struct {
	Modified uint64
	Sum      [sha256.Size]byte
}

// UserKeys counts the keys of the v2 store as this member has it, without keeping any value. present is false where the server has
// no v2 API (its default from 3.4 on).
func (v *V2) UserKeys(ctx context.Context) (keys int64, present bool, err error) {
	_, present, err = v.walkStore(ctx, func(string, V2Key) { keys++ })
	if err != nil {
		return 0, false, err
	}
	return keys, present, nil
}

// CountV2Keys is UserKeys on a connection of both APIs.
func (c *Client) CountV2Keys(ctx context.Context) (keys int64, present bool, err error) {
	return c.V2().UserKeys(ctx)
}

// Store reads the v2 store as this member has it. present is false where the server has no v2 API.
func (v *V2) Store(ctx context.Context) (store V2Store, present bool, err error) {
	store.Keys = map[string]V2Key{}
	store.Index, present, err = v.walkStore(ctx, func(name string, key V2Key) { store.Keys[name] = key })
	return store, present, err
}

func (v *V2) walkStore(ctx context.Context, visit func(string, V2Key)) (index uint64, present bool, err error) {
	r, err := v.web.ask(ctx, v.web.call, http.MethodGet, "/v2/keys/?recursive=true", nil)
	if err != nil {
		return 0, false, err
	}
	defer r.done()
	if r.status == http.StatusNotFound {
		return 0, false, nil
	}
	if r.status != http.StatusOK {
		return 0, false, fault.New(fault.Unsupported, "%s/v2/keys answers with HTTP status %d", v.web.base, r.status)
	}
	if index, err = strconv.ParseUint(r.header.Get("X-Etcd-Index"), 10, 64); err != nil {
		return 0, false, fault.New(fault.Unsupported, "%s/v2/keys answers without its index", v.web.base)
	}
	if err := walkNodes(r.body, visit); err != nil {
		return 0, false, fault.New(fault.Unreachable, "%s: the list of v2 keys broke off", v.web.base)
	}
	return index, true, nil
}

// walkNodes visits the nodes that are no directories. It reads tokens, so that memory stays small whatever the store holds; a node's
// value is the one place where arbitrary text stands, and a string token cannot be taken for a name of a field.
func walkNodes(body io.Reader, visit func(string, V2Key)) error {
	return walkNode(json.NewDecoder(body), visit, 0)
}

const deepest = 1000 // directories in directories; a store deeper than this is not etcd's answer

// walkNode reads one object: the answer itself ("node": {…}), or a node ("key", "value", "dir", "nodes": […]).
func walkNode(d *json.Decoder, visit func(string, V2Key), depth int) error {
	if depth > deepest {
		return fault.New(fault.Unsupported, "nested too deeply")
	}
	if err := expect(d, '{'); err != nil {
		return err
	}
	var key V2Key
	var name *string
	isDir := false
	for d.More() {
		field, err := d.Token()
		if err != nil {
			return err
		}
		switch field {
		case "node":
			err = walkNode(d, visit, depth+1)
		case "nodes":
			err = walkList(d, visit, depth+1)
		case "dir":
			err = d.Decode(&isDir)
		case "key":
			err = d.Decode(&name)
		case "modifiedIndex":
			err = d.Decode(&key.Modified)
		case "value":
			var value string
			err = d.Decode(&value)
			key.Sum = sha256.Sum256([]byte(value))
		default:
			err = skip(d)
		}
		if err != nil {
			return err
		}
	}
	if name != nil && !isDir {
		visit(*name, key)
	}
	return expect(d, '}')
}

func walkList(d *json.Decoder, visit func(string, V2Key), depth int) error {
	if err := expect(d, '['); err != nil {
		return err
	}
	for d.More() {
		if err := walkNode(d, visit, depth); err != nil {
			return err
		}
	}
	return expect(d, ']')
}

func expect(d *json.Decoder, want json.Delim) error {
	got, err := d.Token()
	if err != nil {
		return err
	}
	if got != want {
		return fault.New(fault.Unsupported, "unexpected JSON")
	}
	return nil
}

func skip(d *json.Decoder) error {
	var ignored json.RawMessage
	return d.Decode(&ignored)
}
