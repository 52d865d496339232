package membership

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
)

func m(id facts.ID, name string, urls ...string) facts.ClusterMember {
	return facts.ClusterMember{ID: id, Name: name, PeerURLs: urls}
}

var (
	a     = m(0xa1, "a", "https://a:2380")
	b     = m(0xb1, "b", "https://b:2380")
	c     = m(0xc1, "c", "https://c:2380")
	new1  = m(0xe1, "", "https://e:2380")
	trio  = []facts.ClusterMember{a, b, c}
	allOK = map[facts.ID]bool{0xa1: true, 0xb1: true, 0xc1: true, 0xe1: true}
)

func TestDecide(t *testing.T) {
	present := func(name string, urls ...string) Want { return Want{Present: true, Name: name, PeerURLs: urls} }
	replacing := func(name string, urls ...string) Want {
		return Want{Present: true, Name: name, PeerURLs: urls, Replace: true}
	}
	fresh := Want{Present: true, Name: "c", PeerURLs: []string{"https://c:2380"}, DataGone: true}
	down := func(ids ...facts.ID) map[facts.ID]bool {
		healthy := maps.Clone(allOK)
		for _, each := range ids {
			healthy[each] = false
		}
		return healthy
	}
	for name, x := range map[string]struct {
		members []facts.ClusterMember
		healthy map[facts.ID]bool
		want    Want
		steps   []Step
		refuses string
	}{
		"add to one":                  {trio[:1], allOK, present("b", "https://b:2380"), []Step{{Add, 0, []string{"https://b:2380"}}}, ""},
		"is there":                    {trio, allOK, present("b", "https://b:2380"), nil, ""},
		"is there, other case":        {trio, allOK, present("b", "HTTPS://B:2380/"), nil, ""},
		"is there, IPv6 as it likes":  {[]facts.ClusterMember{a, m(0xb1, "b", "https://[2001:db8::1]:2380")}, allOK, present("b", "https://[2001:DB8:0::1]:2380"), nil, ""},
		"added and not started":       {[]facts.ClusterMember{a, new1}, allOK, present("e", "https://e:2380"), nil, ""},
		"another is not started":      {[]facts.ClusterMember{a, b, new1}, allOK, present("f", "https://f:2380"), nil, "never started"},
		"same name, other URL":        {trio, allOK, present("c", "https://x:2380"), nil, "expected a member c with https://x:2380"},
		"same URL, other name":        {trio, allOK, present("x", "https://c:2380"), nil, "found member c1"},
		"one URL of two":              {trio, allOK, present("c", "https://c:2380", "https://c2:2380"), nil, "nothing was changed"},
		"name of one, URL of other":   {trio, allOK, replacing("a", "https://b:2380"), nil, "both share"},
		"replace":                     {trio, allOK, replacing("c", "https://x:2380"), []Step{{Remove, 0xc1, nil}}, ""},
		"replace takes quorum away":   {trio, map[facts.ID]bool{0xa1: true, 0xc1: true}, replacing("c", "https://x:2380"), nil, "quorum would be lost"},
		"replace what is right":       {trio, allOK, replacing("c", "https://c:2380"), nil, ""},
		"its data is gone":            {trio, down(0xc1), fresh, []Step{{Remove, 0xc1, nil}}, ""},
		"its data is gone, it serves": {trio, allOK, fresh, nil, ""},
		"its data is gone, unstarted": {[]facts.ClusterMember{a, b, m(0xc2, "", "https://c:2380")}, allOK, fresh, nil, ""},
		"its data is gone, no entry":  {trio[:2], allOK, fresh, []Step{{Add, 0, []string{"https://c:2380"}}}, ""},
		"its data is gone, no quorum": {trio, down(0xb1, 0xc1), fresh, nil, "quorum would be lost"},
		"update":                      {trio, allOK, Want{Present: true, ID: 0xb1, PeerURLs: []string{"https://n:2380"}}, []Step{{Update, 0xb1, []string{"https://n:2380"}}}, ""},
		"update to the same":          {trio, allOK, Want{Present: true, ID: 0xb1, PeerURLs: []string{"https://b:2380"}}, nil, ""},
		"update to another's URL":     {trio, allOK, Want{Present: true, ID: 0xb1, PeerURLs: []string{"https://a:2380"}}, nil, "already a peer URL"},
		"update of nobody":            {trio, allOK, Want{Present: true, ID: 0xff, PeerURLs: []string{"https://n:2380"}}, nil, "no member has the ID ff"},
		"update with another's name":  {trio, allOK, Want{Present: true, ID: 0xb1, Name: "a", PeerURLs: []string{"https://n:2380"}}, nil, "is named b, not a"},
		"remove by ID":                {trio, allOK, Want{ID: 0xc1}, []Step{{Remove, 0xc1, nil}}, ""},
		"remove by URL":               {trio, allOK, Want{PeerURLs: []string{"https://c:2380"}}, []Step{{Remove, 0xc1, nil}}, ""},
		"remove by name":              {trio, allOK, Want{Name: "c"}, []Step{{Remove, 0xc1, nil}}, ""},
		"ID wins over name":           {trio, allOK, Want{ID: 0xc1, Name: "a"}, []Step{{Remove, 0xc1, nil}}, ""},
		"is gone":                     {trio, allOK, Want{ID: 0xff}, nil, ""},
		"two of one name":             {[]facts.ClusterMember{a, b, m(0xd1, "b", "https://d:2380")}, allOK, Want{Name: "b"}, nil, "both match"},
		"the last":                    {trio[:1], allOK, Want{ID: 0xa1}, nil, "the last member"},
		"the dead one of three":       {trio, map[facts.ID]bool{0xa1: true, 0xb1: true}, Want{ID: 0xc1}, []Step{{Remove, 0xc1, nil}}, ""},
		"a healthy one, another dead": {trio, map[facts.ID]bool{0xa1: true, 0xb1: true}, Want{ID: 0xb1}, nil, "quorum would be lost"},
		"one of two":                  {trio[:2], allOK, Want{ID: 0xb1}, []Step{{Remove, 0xb1, nil}}, ""},
		"the unstarted one":           {[]facts.ClusterMember{a, b, new1}, map[facts.ID]bool{0xa1: true, 0xb1: true}, Want{PeerURLs: new1.PeerURLs}, []Step{{Remove, 0xe1, nil}}, ""},
	} {
		steps, err := Decide(Now{x.members, x.healthy}, x.want)
		if diff := cmp.Diff(x.steps, steps); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		switch {
		case x.refuses == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case x.refuses != "" && (err == nil || fault.KindOf(err) != fault.Refused || !strings.Contains(err.Error(), x.refuses)):
			t.Errorf("%s: %v does not refuse with %q", name, err, x.refuses)
		}
	}
}

// After every step there must be fewer steps left: Apply repeats the decision until none is left, and so does check mode.
func TestStepsEnd(t *testing.T) {
	for name, x := range map[string]struct {
		want    Want
		healthy map[facts.ID]bool
	}{
		"another address": {Want{Present: true, Name: "c", PeerURLs: []string{"https://x:2380"}, Replace: true}, allOK},
		"its data gone":   {Want{Present: true, Name: "c", PeerURLs: []string{"https://c:2380"}, DataGone: true}, map[facts.ID]bool{0xa1: true, 0xb1: true}},
	} {
		members := trio
		var kinds []string
		for range 5 {
			steps, err := Decide(Now{members, x.healthy}, x.want)
			if err != nil {
				t.Fatal(err)
			}
			if len(steps) == 0 {
				break
			}
			kinds = append(kinds, steps[0].Kind)
			members = After(members, steps, x.want)
		}
		if diff := cmp.Diff([]string{Remove, Add}, kinds); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if got, ok := Find(members, x.want); !ok || got.Name != "c" || len(members) != 3 {
			t.Errorf("%s: ended with %v", name, members)
		}
	}
	if trio[2].PeerURLs[0] != "https://c:2380" {
		t.Error("the list that was given has been changed")
	}
}
