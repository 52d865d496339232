package main

// losses are the rows of the decision, one state each. One host that is off cannot have gone on without the others, so nothing is asked about it.
func losses() []state {
	return []state{
		{Name: "two wiped", Short: true, Trouble: twoLost()},
		{Name: "two off", Trouble: []step{off("master-1", "master-2")}, End: consent, Out: []string{"master-1", "master-2"}},
		{Name: "one off, one wiped", Trouble: []step{wiped("master-1"), off("master-2")}, Out: []string{"master-2"}},
		{Name: "one wiped, one stopped", Trouble: []step{wiped("master-2"), stopped("master-1")}},
		{Name: "two stopped", Trouble: []step{stopped("master-1"), stopped("master-2")}},
		{Name: "all stopped", Trouble: []step{stopped("master-0"), stopped("master-1"), stopped("master-2")}},
		{Name: "one wiped", Trouble: []step{wiped("master-2")}},
		{Name: "all lose power, one wiped", Trouble: []step{off("master-0", "master-1", "master-2"), {"wipe", "master-2"},
			{"poweron", "master-0", "master-1", "master-2"}}},
		{Name: "healthy", Trouble: nil},
	}
}

func stopped(host string) step { return strictly(host, "systemctl stop etcd") }
