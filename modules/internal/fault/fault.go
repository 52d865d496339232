// Package fault is the one error type for operators: the kind of failure, the sentence, and the next step.
package fault

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// Kind is the word that playbooks branch on; they never branch on text.
type Kind string

const (
	Invalid     Kind = "invalid"     // the caller's arguments or a file's content make no sense
	Refused     Kind = "refused"     // going on could lose data, or a precondition does not hold
	Unreachable Kind = "unreachable" // nothing answers
	Timeout     Kind = "timeout"     // it did not happen within its limit
	Corrupt     Kind = "corrupt"     // data is damaged
	Unsupported Kind = "unsupported" // this host or version cannot do it
	Internal    Kind = "internal"    // a bug, or an error of the operating system
)

// Error is a failure with a kind and a hint. Hint is the next step, a complete command where there is one.
type Error struct {
	Kind Kind
	Msg  string
	Hint string
	Err  error
}

func (e *Error) Error() string {
	if e.Err == nil {
		return e.Msg
	}
	return e.Msg + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// WithHint returns the same failure with its hint set.
func (e *Error) WithHint(format string, a ...any) *Error {
	out := *e
	out.Hint = fmt.Sprintf(format, a...)
	return &out
}

// New makes a failure of the given kind.
func New(kind Kind, format string, a ...any) *Error {
	return &Error{Kind: kind, Msg: fmt.Sprintf(format, a...)}
}

// Wrap makes a failure of the given kind around err; it keeps err's hint, and err's kind where err already has one.
func Wrap(kind Kind, err error, format string, a ...any) *Error {
	out := &Error{Kind: kind, Msg: fmt.Sprintf(format, a...), Err: err}
	var inner *Error
	if errors.As(err, &inner) {
		out.Kind, out.Hint = inner.Kind, inner.Hint
	}
	return out
}

// KindOf is err's kind. An error without one is Internal, unless its errno says that a path makes no sense. A full or broken disk is never the
// caller's mistake.
func KindOf(err error) Kind {
	kind := Internal
	var e *Error
	if errors.As(err, &e) {
		kind = e.Kind
	}
	switch {
	case kind == Internal && isBadPath(err):
		return Invalid
	case kind == Invalid && hasErrno(err, machine):
		return Internal
	}
	return kind
}

// isBadPath is true where the system says that no file, or none of that kind, can have the path.
func isBadPath(err error) bool {
	var bad interface{ BadPath() }
	return errors.As(err, &bad) || hasErrno(err, paths)
}

var (
	paths   = []unix.Errno{unix.ENAMETOOLONG, unix.ENOTDIR, unix.EISDIR, unix.ELOOP, unix.ENXIO, unix.ENODEV}
	machine = []unix.Errno{unix.ENOSPC, unix.EDQUOT, unix.EIO, unix.EROFS, unix.ENOMEM, unix.EMFILE, unix.ENFILE}
)

func hasErrno(err error, list []unix.Errno) bool {
	var number unix.Errno
	return errors.As(err, &number) && slices.Contains(list, number)
}

// HintOf is err's hint, or "".
func HintOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}
