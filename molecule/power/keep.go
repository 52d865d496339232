package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// part is PART=i/n: n runs share the cuts.
type part struct{ i, n int }

func readPart(text string) (p part, err error) {
	if text == "" {
		return part{1, 1}, nil
	}
	if got, err := fmt.Sscanf(text, "%d/%d", &p.i, &p.n); err != nil || got != 2 || p.i < 1 || p.i > p.n || text != fmt.Sprintf("%d/%d", p.i, p.n) {
		return p, fmt.Errorf("PART=%s is not i/n; for example 1/3, 2/3 and 3/3", text)
	}
	return p, nil
}

func (p part) has(number int) bool { return number%p.n == p.i-1 }

// file is the file of a cut's result. Which cut a number means depends on how many there are.
func (o options) file(c *cut) string {
	return filepath.Join(o.kept, fmt.Sprintf("%d-of-%d-and-%d-quiet-%d-survivors.json", c.Number, o.cuts, o.quiet, o.survivors))
}

// keep keeps the result of a cut that went well, for the same product (molecule/shared/kept names the directory).
func (o options) keep(c *cut) error {
	if o.kept == "" {
		return nil
	}
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	fresh := o.file(c) + ".new"
	if err := os.WriteFile(fresh, text, 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, o.file(c))
}

// recall tells whether an earlier run had this cut, and fills in its result.
func (o options) recall(c *cut) bool {
	if o.kept == "" {
		return false
	}
	var was cut
	text, err := os.ReadFile(o.file(c))
	if err != nil || json.Unmarshal(text, &was) != nil || !was.Done {
		return false
	}
	*c = was
	return true
}
