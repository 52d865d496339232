package inventory

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
)

// document is a parsed file. Its editing methods return the file's new text and leave the document as it is.
type document interface {
	folder
	read(m *Meaning)
	entryOf(host string) string      // the entry of a host without variables
	marks(host string) []mark        // what host left behind, in the file's order
	defines(group string) bool       // whether hosts can be put into group here
	inUse(group string) bool         // whether group holds what this package did not make
	where(group, host string) int    // the line of host's entry or mark, 0 if there is none
	heading(line int) string         // what a reader needs to find the line (an index) in the diff
	lists(parent, child string) bool // whether parent names child here

	readEntries(m *Meaning, host string, entries []string) // as read, of entries that stand nowhere

	takeOut(group, host, since string) (text string, entries []string, err error)
	restore(group, host string, entries []string) (text string, found bool)
	put(group string, entries []string, first bool) (string, error)
	addVars(host, group string, entries, names []string) (string, error)
	dropKept(host string) (string, error)
	addGroup(group, like string, parents, settings []string) (string, error)
	dropGroup(group string) (string, error)
}

// Source is one file of the inventory.
type Source struct {
	Path string
	Text string
	doc  document
}

// Set is the files of an inventory in the order in which Ansible reads them.
type Set struct {
	Sources []Source
	Dynamic []string            // scripts and plugins' configurations, which nobody but their owner can edit
	Logins  map[string][]string // files of group_vars, by group, that set connection variables
}

// Parse reads one file's text as Ansible would by the file's name and content.
func Parse(path, text string) (Source, error) {
	doc, err := parseDocument(path, text)
	return Source{Path: path, Text: text, doc: doc}, err
}

// parseDocument: Ansible tries YAML first where the name ends in .yml or .yaml or has no ending at all, then INI.
func parseDocument(path, text string) (document, error) {
	switch ext := filepath.Ext(strings.TrimLeft(filepath.Base(path), ".")); {
	case ext == ".yml", ext == ".yaml":
		return parseYAML(text)
	case ext == "" && !looksLikeINI(text):
		if doc, err := parseYAML(text); !errors.Is(err, errNotYAML) {
			return doc, err
		}
	}
	return parseINI(text)
}

// looksLikeINI spares a long INI file the attempt to read it as YAML, of which it is never a mapping.
func looksLikeINI(text string) bool {
	for _, l := range strings.SplitN(text, "\n", 64) {
		l = strings.TrimSpace(l)
		if l != "" && l[0] != '#' && l[0] != ';' {
			return l[0] == '['
		}
	}
	return false
}

// Meaning is what Ansible reads from all files together.
func (s *Set) Meaning() *Meaning {
	m := newMeaning()
	for i := range s.Sources {
		s.Sources[i].doc.read(m)
	}
	return m
}

func (s *Set) clone() *Set {
	return &Set{Sources: slices.Clone(s.Sources), Dynamic: s.Dynamic, Logins: s.Logins}
}

// replace gives one source a new text, and reads it again.
func (s *Set) replace(i int, text string) error {
	old := &s.Sources[i]
	if text == old.Text {
		return nil
	}
	parsed, err := Parse(old.Path, text)
	if err != nil {
		return err
	}
	s.Sources[i] = parsed
	return nil
}

// same tells whether two sources have the same format, so that an entry of one can stand in the other.
func (s *Set) same(i, j int) bool {
	_, a := s.Sources[i].doc.(*ini)
	_, b := s.Sources[j].doc.(*ini)
	return a == b
}
