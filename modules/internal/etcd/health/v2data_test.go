package health

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"etcd-quorum-restore/modules/internal/etcd"
)

// at makes a store at an index; a key is "name=value@modified".
func at(index uint64, keys ...string) etcd.V2Store {
	s := etcd.V2Store{Index: index, Keys: map[string]etcd.V2Key{}}
	for _, text := range keys {
		var name, value string
		var modified uint64
		if _, err := fmt.Sscanf(text, "%1s=%1s@%d", &name, &value, &modified); err != nil {
			panic(err)
		}
		s.Keys[name] = etcd.V2Key{Modified: modified, Sum: sha256.Sum256([]byte(value))}
	}
	return s
}

func TestCompareV2(t *testing.T) {
	for name, c := range map[string]struct {
		x, y   etcd.V2Store
		differ []string
		doubts []doubt
	}{
		"equal":                         {at(9, "a=1@3", "b=2@9"), at(9, "a=1@3", "b=2@9"), nil, nil},
		"another value":                 {at(9, "a=1@3"), at(9, "a=2@3"), []string{"a"}, nil},
		"another value, others move on": {at(9, "a=1@3"), at(12, "a=2@3", "b=1@12"), []string{"a"}, nil},
		"one lacks a key":               {at(9, "a=1@3"), at(9), []string{"a"}, nil},
		"written in between":            {at(9, "a=1@3"), at(12, "a=2@11", "b=1@12"), nil, nil},
		"not applied where it should":   {at(12, "a=1@3"), at(12, "a=2@11"), []string{"a"}, nil},
		"deleted in between, perhaps":   {at(9, "a=1@3"), at(12), nil, []doubt{{"x", "a", 3, 12}}},
		"the one behind lacks a key":    {at(9), at(12, "a=1@3"), []string{"a"}, nil},
	} {
		differ, doubts := compareV2(map[string]etcd.V2Store{"x": c.x, "y": c.y})
		if diff := cmp.Diff(c.differ, differ, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(c.doubts, doubts, cmp.AllowUnexported(doubt{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
