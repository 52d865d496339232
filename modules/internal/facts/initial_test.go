package facts

import (
	"slices"
	"testing"
)

func TestInitialCluster(t *testing.T) {
	for text, want := range map[string][]Listed{
		"":                              nil,
		"a=http://h:2380":               {{"a", "http://h:2380"}},
		"a=http://h:2380, b=http://i:1": {{"a", "http://h:2380"}, {"b", "http://i:1"}},
		"a=http://h:2380,,nonsense,":    {{"a", "http://h:2380"}},
		"a=http://h:1,a=http://h:2?x=y": ListedAs("a", []string{"http://h:1", "http://h:2?x=y"}),
	} {
		got := ParseInitialCluster(text)
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, expected %v", text, got, want)
		}
		if again := ParseInitialCluster(JoinInitialCluster(got)); !slices.Equal(again, want) {
			t.Errorf("%q: written and read again: %v", text, again)
		}
	}
}
