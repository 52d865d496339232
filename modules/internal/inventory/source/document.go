// Package source is what the formats of an inventory have in common: lines and their edits, the marks of hosts that left, patterns of host names,
// and the meaning that Ansible reads. A format implements Document: packages ini and yamldoc.
package source

// Document is a parsed file. Its editing methods return the file's new text and leave the document as it is.
type Document interface {
	folder
	Read(m *Meaning)
	EntryOf(host string) string                     // the entry of a host without variables
	Marks(host string) []Mark                       // host's marks, in the file's order
	Defines(group string) bool                      // whether hosts can be put into group here
	InUse(group string) bool                        // whether group holds what this project did not make
	Where(group, host string) int                   // the line of host's entry or mark, 0 if there is none
	Headings() []int                                // for each line the index of its section's header, -1 for none; for the diff
	Shown(line int, known func(string) bool) string // the line without values; of a mark's text only known names
	Lists(parent, child string) bool                // whether parent names child here

	ReadEntries(m *Meaning, host string, entries []string) // reads entries that are not in the file

	TakeOut(group, host, since string) (text string, entries []string, err error)
	Restore(group, host string, entries []string) (text string, found bool)
	Put(group string, entries []string, first bool) (string, error)
	AddVars(host, group string, entries, names []string) (string, error)
	DropKept(host string) (string, error)
	AddGroup(group, like string, parents, settings []string) (string, error)
	DropGroup(group string) (string, error)
}

// folder replaces a child group by its hosts, one of which leaves, and takes that back.
type folder interface {
	// Unfold replaces child in group by the names of hosts, each with OwnComment; host becomes a mark.
	Unfold(group, child string, hosts []string, host, since string) (string, error)
	// Fold is the inverse: it takes away what Unfold wrote.
	Fold(group, child string, hosts []string) (string, error)
	// Unfolded lists the children of group that were replaced here.
	Unfolded(group string) []string
}
