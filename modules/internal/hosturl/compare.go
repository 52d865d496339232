package hosturl

import (
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/fault"
)

// Compare is nil where the list has a URL of each member and no other. Else the error says what is listed and what is right; fix says how to
// correct the list, with the right URLs in place of %s.
func Compare(listed []string, members []Host, where, fix string) error {
	var strangers, missing []string
	right := Change{}
	for _, each := range listed {
		if !slices.ContainsFunc(members, func(h Host) bool { return h.Matches(each) }) {
			strangers = append(strangers, each)
			right.Remove = append(right.Remove, Host{Name: each})
		}
	}
	for _, h := range members {
		if !slices.ContainsFunc(listed, h.Matches) {
			missing = append(missing, h.Name)
			right.Add = append(right.Add, h)
		}
	}
	if len(strangers)+len(missing) == 0 {
		return nil
	}
	var wrong []string
	if len(strangers) > 0 {
		wrong = append(wrong, "no member has "+strings.Join(strangers, " and "))
	}
	if len(missing) > 0 {
		wrong = append(wrong, strings.Join(missing, " and ")+" is missing")
		if len(missing) > 1 {
			wrong[len(wrong)-1] = strings.Join(missing, " and ") + " are missing"
		}
	}
	found := fault.New(fault.Invalid, "%s lists %s, which is not the list of members: %s", where, strings.Join(listed, ","), strings.Join(wrong, ", "))
	out, err := right.Apply(listed)
	if err != nil {
		return found.WithHint("list the members by hand, by the names of their certificates: %s (%v)", namesOf(members), err)
	}
	urls := strings.Join(out.After, ",")
	found.Msg += "; right is " + urls
	return found.WithHint("%s", strings.ReplaceAll(fix, "%s", urls))
}
