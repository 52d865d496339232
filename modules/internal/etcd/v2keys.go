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

// V2Store is what one member's v2 store holds at one index. v2 cannot be asked for a revision, but each answer is of one index, and members at
// the same index have the same keys.
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
	_, present, err = v.walkStore(ctx, func(string, V2Key) error { keys++; return nil })
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
	room := storeRoom
	store.Index, present, err = v.walkStore(ctx, func(name string, key V2Key) error {
		if room -= len(name) + keyRoom; room < 0 {
			return fault.New(fault.Unsupported, "%s holds more than %d v2 keys: too many to compare in memory", v.web.base, len(store.Keys))
		}
		store.Keys[name] = key
		return nil
	})
	return store, present, err
}

// How much memory the comparison of a store may take, and how much one key takes beside its name.
const (
	storeRoom = 48 << 20
	keyRoom   = 128
)

func (v *V2) walkStore(ctx context.Context, visit func(string, V2Key) error) (index uint64, present bool, err error) {
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
	if err := walkNodes(r.body, visit); fault.KindOf(err) == fault.Unsupported {
		return 0, false, fault.Wrap(fault.Unsupported, err, "%s/v2/keys", v.web.base)
	} else if err != nil {
		return 0, false, fault.New(fault.Unreachable, "%s: the list of v2 keys broke off", v.web.base)
	}
	return index, true, nil
}

// walkNodes visits the nodes that are no directories. It reads tokens, so that memory stays small whatever the store holds. A node's value is the
// only arbitrary text, and a string token cannot be mistaken for the name of a field.
func walkNodes(body io.Reader, visit func(string, V2Key) error) error {
	in := &tokens{body: body, left: largestToken}
	in.Decoder = json.NewDecoder(in.bounded())
	return walkNode(in, visit, 0)
}

// largestToken is more than one name, value or unknown field of an answer can have: etcd 3.2 takes requests of up to 1.5 MB, and JSON
// writes a byte with up to six.
const largestToken = 16 << 20

// tokens reads JSON that may be long, while no single part of it may be: json.Decoder keeps a part in memory until it is complete.
type tokens struct {
	*json.Decoder
	body io.Reader
	left int64 // bytes that may still be read of this part
}

func (t *tokens) bounded() io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		if t.left <= 0 {
			return 0, fault.New(fault.Unsupported, "one part of the answer has more than %d bytes: it is no etcd", largestToken)
		}
		n, err := t.body.Read(p)
		t.left -= int64(n)
		return n, err
	})
}

// next begins the next part.
func (t *tokens) next() *json.Decoder {
	t.left = largestToken
	return t.Decoder
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

const deepest = 1000 // levels of directories; a deeper store is not etcd's answer

// walkNode reads one object: the answer itself ("node": {…}), or a node ("key", "value", "dir", "nodes": […]).
func walkNode(d *tokens, visit func(string, V2Key) error, depth int) error {
	if depth > deepest {
		return fault.New(fault.Unsupported, "nested too deeply")
	}
	if err := expect(d, '{'); err != nil {
		return err
	}
	var key V2Key
	var name *string
	isDir := false
	for d.next().More() {
		field, err := d.next().Token()
		if err != nil {
			return err
		}
		switch field {
		case "node":
			err = walkNode(d, visit, depth+1)
		case "nodes":
			err = walkList(d, visit, depth+1)
		case "dir":
			err = d.next().Decode(&isDir)
		case "key":
			err = d.next().Decode(&name)
		case "modifiedIndex":
			err = d.next().Decode(&key.Modified)
		case "value":
			var value string
			err = d.next().Decode(&value)
			key.Sum = sha256.Sum256([]byte(value))
		default:
			err = skip(d)
		}
		if err != nil {
			return err
		}
	}
	if name != nil && !isDir {
		if err := visit(*name, key); err != nil {
			return err
		}
	}
	return expect(d, '}')
}

func walkList(d *tokens, visit func(string, V2Key) error, depth int) error {
	if err := expect(d, '['); err != nil {
		return err
	}
	for d.next().More() {
		if err := walkNode(d, visit, depth); err != nil {
			return err
		}
	}
	return expect(d, ']')
}

func expect(d *tokens, want json.Delim) error {
	got, err := d.next().Token()
	if err != nil {
		return err
	}
	if got != want {
		return fault.New(fault.Unsupported, "unexpected JSON")
	}
	return nil
}

func skip(d *tokens) error {
	var ignored json.RawMessage
	return d.next().Decode(&ignored)
}
