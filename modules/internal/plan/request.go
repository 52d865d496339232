package plan

import (
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/rows"
)

// IDLength is that of a plan's ID, in hexadecimal digits.
const IDLength = rows.IDLength

// The types that a caller needs to ask for a plan.
type (
	Host    = facts.Host // what etcd_host_info registered for one host
	Request = rows.Request
	Decided = rows.Decided
	Trouble = rows.Trouble // what a module has returned where it failed
	// Confirmed is what the operator has agreed to before the plan was made.
	Confirmed = rows.Confirmed
	Position  = histories.Position // where a host's log ends
)
