package yamlfile

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/fault"
)

// Set makes the entries want, in that order. Entries that stay are not changed, new ones are written like their neighbour. After an error the
// list is as it was.
func (l *List) Set(want []string) error {
	if len(want) == 0 {
		return fault.New(fault.Refused, "%s would be empty; nothing was changed", strings.Join(l.path, "."))
	}
	if slices.Equal(l.Values(), want) {
		return nil
	}
	work := *l
	if err := work.rewrite(want); err != nil {
		return err
	}
	if !slices.Equal(work.Values(), want) || !sameBeside(l, &work) {
		return fault.New(fault.Refused, "%s cannot be edited safely: read again, the result differs from what was asked for; nothing was changed", strings.Join(l.path, "."))
	}
	*l = work
	return nil
}

// rewrite first inserts and then removes, so that the list is never empty in between. Each step reads the positions again.
func (l *List) rewrite(want []string) error {
	both := merge(l.Values(), want)
	for i, step := range both {
		if step.new {
			if err := l.reopen(l.insert(i, step.value)); err != nil {
				return err
			}
		}
	}
	for i, step := range slices.Backward(both) {
		if step.old && !step.new && !step.kept {
			if err := l.reopen(l.remove(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *List) reopen(data []byte) error {
	next, err := Open(data, l.path...)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "%s cannot be edited safely", strings.Join(l.path, "."))
	}
	*l = *next
	return nil
}

// step is an entry of the merged list: one that stays (kept), that is removed (old) or added (new).
type step struct {
	value          string
	kept, old, new bool
}

// merge interleaves two lists along their longest common subsequence.
func merge(old, want []string) []step {
	length := commonLengths(old, want)
	var out []step
	i, j := 0, 0
	for i < len(old) || j < len(want) {
		switch {
		case i < len(old) && j < len(want) && old[i] == want[j]:
			out = append(out, step{value: old[i], kept: true})
			i, j = i+1, j+1
		case j == len(want) || (i < len(old) && length[i+1][j] >= length[i][j+1]):
			out = append(out, step{value: old[i], old: true})
			i++
		default:
			out = append(out, step{value: want[j], new: true})
			j++
		}
	}
	return out
}

// commonLengths[i][j] is the length of the longest common subsequence of a[i:] and b[j:].
func commonLengths(a, b []string) [][]int {
	length := make([][]int, len(a)+1)
	for i := range length {
		length[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	return length
}

// sameBeside: two readings of the file are equal but for the list's entries.
func sameBeside(a, b *List) bool {
	return same(a.root, b.root, a.node, b.node)
}

func same(a, b, skipA, skipB *yaml.Node) bool {
	if a.Kind != b.Kind || a.Tag != b.Tag || a.Style != b.Style || a.Value != b.Value || a.Anchor != b.Anchor || (a == skipA) != (b == skipB) {
		return false
	}
	if a == skipA {
		return true
	}
	if len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !same(a.Content[i], b.Content[i], skipA, skipB) {
			return false
		}
	}
	return true
}
