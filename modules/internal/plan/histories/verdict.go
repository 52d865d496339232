package histories

// Verdict says whether a host's data is usable, or why not.
type Verdict string
