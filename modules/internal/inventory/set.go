package inventory

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/inventory/ini"
	"etcd-quorum-restore/modules/internal/inventory/source"
	"etcd-quorum-restore/modules/internal/inventory/yamldoc"
)

// Source is one file of the inventory.
type Source struct {
	Path string
	Text string
	doc  source.Document
}

// Set is the files of an inventory in the order in which Ansible reads them.
type Set struct {
	Sources []Source
	Dynamic []string            // scripts and plugins' configurations, which only their owner can edit
	Logins  map[string][]string // files of group_vars, by group, that set connection variables
}

// Parse reads one file's text as Ansible would by the file's name and content.
func Parse(path, text string) (Source, error) {
	doc, err := parseDocument(path, text)
	return Source{Path: path, Text: text, doc: doc}, err
}

// parseDocument: Ansible tries YAML first where the name ends in .yml or .yaml or has no ending at all, then INI.
func parseDocument(path, text string) (source.Document, error) {
	ext := filepath.Ext(strings.TrimLeft(filepath.Base(path), "."))
	named := ext == ".yml" || ext == ".yaml"
	if !named && (ext != "" || looksLikeINI(text)) {
		return ini.Parse(text)
	}
	doc, notYAML := yamldoc.Parse(text)
	if !errors.Is(notYAML, yamldoc.ErrNotYAML) {
		return doc, notYAML
	}
	ini, err := ini.Parse(text)
	if err != nil && named {
		return nil, notYAML
	}
	return ini, err
}

// looksLikeINI saves the attempt to read a long INI file as YAML, which it never is.
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
func (s *Set) Meaning() *source.Meaning {
	m := source.NewMeaning()
	for i := range s.Sources {
		s.Sources[i].doc.Read(m)
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
	_, a := s.Sources[i].doc.(*ini.Doc)
	_, b := s.Sources[j].doc.(*ini.Doc)
	return a == b
}
