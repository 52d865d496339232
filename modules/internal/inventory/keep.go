package inventory

import (
	"maps"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/inventory/source"
)

// keepVars keeps the variables of a host's line, which count in all groups. Where the host is still named elsewhere (as a master, say), the
// variables that only the removed line set move to the last line that names it.
func (w *work) keepVars(group string, taken []entries) error {
	for _, e := range taken {
		have := w.Meaning().Hosts[w.r.Host]
		if have == nil {
			return nil
		}
		one := source.NewMeaning()
		w.Sources[e.source].doc.ReadEntries(one, w.r.Host, e.texts)
		var lost []string
		for name, value := range one.Hosts[w.r.Host] {
			if have[name] != value && w.before.Hosts[w.r.Host][name] == value {
				lost = append(lost, name)
			}
		}
		if len(lost) == 0 {
			continue
		}
		slices.Sort(lost)
		if err := w.give(group, e, lost); err != nil {
			return err
		}
	}
	return nil
}

// dropKept removes variables that keepVars put on other lines, once the host's own entry is back. Where that would change a value, they stay.
func (w *work) dropKept() {
	had := w.Meaning().Hosts[w.r.Host]
	trial := w.clone()
	for i := range trial.Sources {
		text, err := trial.Sources[i].doc.DropKept(w.r.Host)
		if err != nil || trial.replace(i, text) != nil {
			return
		}
	}
	if maps.Equal(had, trial.Meaning().Hosts[w.r.Host]) {
		w.Set = trial
	}
}

func (w *work) give(group string, e entries, lost []string) error {
	for _, i := range append(w.others(e.source), e.source) {
		if !w.same(i, e.source) {
			continue
		}
		text, err := w.Sources[i].doc.AddVars(w.r.Host, group, e.texts, lost)
		if err == nil && text != "" {
			return w.set(i, text, nil)
		}
		if err != nil {
			return w.cannot(w.Sources[i].Path, err)
		}
	}
	return fault.New(fault.Refused, "%s has the variables %s on its line in the group that it leaves, and is still in other groups; nothing was changed",
		w.r.Host, strings.Join(lost, ", ")).WithHint("write them on another line of the host, or in host_vars/%s.yml, and run this again", w.r.Host)
}
