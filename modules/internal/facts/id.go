package facts

import (
	"encoding/json"
	"reflect"
	"strconv"

	"etcd-quorum-restore/modules/internal/fault"
)

// ID is the ID of a member or of a cluster. As text, and as a string in JSON, it is hexadecimal in lower case without leading zeros, as
// etcdctl prints it. 0 is "no ID", as in etcd, and its text is "".
type ID uint64

// ParseID reads an ID as etcdctl prints it. Capitals and leading zeros are allowed; "" and 0 are errors, since no member has that ID.
func ParseID(text string) (ID, error) {
	id, err := strconv.ParseUint(text, 16, 64)
	if err != nil || id == 0 {
		return 0, fault.New(fault.Invalid, "%q is no member ID or cluster ID: expected up to 16 hexadecimal digits, as etcdctl prints them", text)
	}
	return ID(id), nil
}

func (id ID) String() string {
	if id == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(id), 16)
}

// MarshalText serves JSON too.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is ParseID, but takes "" and zeros for "no ID". Its error has the type that encoding/json uses, so that the decoder adds the key.
func (id *ID) UnmarshalText(text []byte) error {
	parsed, err := ParseID(string(text))
	if err != nil && !isZero(text) {
		return &json.UnmarshalTypeError{Value: strconv.Quote(string(text)), Type: reflect.TypeFor[ID]()}
	}
	*id = parsed
	return nil
}

func isZero(text []byte) bool {
	for _, digit := range text {
		if digit != '0' {
			return false
		}
	}
	return true
}
