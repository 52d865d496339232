package member

// ReadDatabase reads the facts of a database file that stands alone, such as a snapshot.
func ReadDatabase(path string) (Database, error) { return readDatabase(path) }
