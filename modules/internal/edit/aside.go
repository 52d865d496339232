package edit

import (
	"bytes"
	"fmt"

	"etcd-quorum-restore/modules/internal/readfile"
)

// NameAside is a free name for a copy of the file, or the name under which an interrupted run has kept the same content. A CA that was made anew
// repeats serial numbers and dates, so a copy of that name may be of an older certificate.
func NameAside(path, suffix string) (name string, already bool, err error) {
	content, err := Read(path)
	if err != nil {
		return "", false, err
	}
	name = path + suffix
	for n := 2; readfile.Exists(name); n++ {
		kept, err := Read(name)
		if err != nil || bytes.Equal(kept, content) {
			return name, true, err
		}
		name = fmt.Sprintf("%s%s-%d", path, suffix, n)
	}
	return name, false, nil
}
