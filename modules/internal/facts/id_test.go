package facts_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/facts"
)

func TestIDText(t *testing.T) {
	for text, want := range map[string]facts.ID{
		"8e9e05c52164694d": 0x8e9e05c52164694d, "8E9E05C52164694D": 0x8e9e05c52164694d, "00ff": 0xff, "1": 1, "ffffffffffffffff": math.MaxUint64,
	} {
		got, err := facts.ParseID(text)
		if err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
		if plain := strings.TrimLeft(strings.ToLower(text), "0"); got.String() != plain {
			t.Errorf("%q is printed as %q", text, got)
		}
	}
	if got := fmt.Sprintf("member %s of cluster %v, voted for %q", facts.ID(0xa1), facts.ID(0xc0ffee), facts.ID(0)); got != `member a1 of cluster c0ffee, voted for ""` {
		t.Error(got)
	}
}

var notIDs = []string{"x", "0x12", "-1", "+1", "1_0", " 1", "11112222333344445", "c1 ", "etcd-0"}

func TestBadIDs(t *testing.T) {
	for _, bad := range append(notIDs, "", "0", "000") {
		if id, err := facts.ParseID(bad); err == nil || id != 0 || !strings.Contains(err.Error(), fmt.Sprintf("%q is no member ID or cluster ID", bad)) {
			t.Errorf("%q was taken for the ID %s: %v", bad, id, err)
		}
	}
	for _, bad := range notIDs {
		var h struct{ Member facts.Member }
		err := json.Unmarshal(fmt.Appendf(nil, `{"member": {"cluster_id": %q}}`, bad), &h)
		if err == nil || !strings.Contains(err.Error(), strconv.Quote(bad)) || !strings.Contains(err.Error(), "cluster_id") {
			t.Errorf("%q was taken for the ID %s: %v", bad, h.Member.ClusterID, err)
		}
	}
	var m facts.Member
	if err := json.Unmarshal([]byte(`{"id": 81985529216486895}`), &m); err == nil {
		t.Errorf("a number was taken for the ID %s: as a float it would be rounded", m.ID)
	}
}

// The JSON of modules and records: a string, "" for no ID, or no key.
func TestIDInJSON(t *testing.T) {
	id := facts.ID(0x8e9e05c52164694d)
	for text, value := range map[string]any{
		`{"id":"8e9e05c52164694d","cluster_id":"ff","name":"m0"}`: facts.Member{ID: id, ClusterID: 0xff, Name: "m0"},
		`{"id":"","cluster_id":"","name":""}`:                     facts.Member{},
		`{"id":"8e9e05c52164694d"}`:                               facts.Seen{ID: id},
		`{}`:                                                      facts.Seen{},
		`{"when":"","why":"","kind":"","cluster_id":null,"member_id":"8e9e05c52164694d","survivor":"","run":"","ran":false,"earlier":""}`: facts.Fence{MemberID: &id},
	} {
		raw, err := json.Marshal(value)
		if err != nil || string(raw) != text {
			t.Errorf("%s, %v; want %s", raw, err, text)
		}
	}
	for text, want := range map[string]facts.Member{
		`{"id":"8E9E05C52164694D","cluster_id":"00ff"}`: {ID: id, ClusterID: 0xff},
		`{"id":"0","cluster_id":""}`:                    {},
		`{"id":null}`:                                   {},
		`{}`:                                            {},
	} {
		var got facts.Member
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	var fence facts.Fence
	if err := json.Unmarshal([]byte(`{"member_id": null, "cluster_id": "ff"}`), &fence); err != nil || fence.MemberID != nil || *fence.ClusterID != 0xff {
		t.Errorf("%+v, %v", fence, err)
	}
}
