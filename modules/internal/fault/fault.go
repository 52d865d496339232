// Package fault is the one error type that carries what an operator needs: the kind of failure, the sentence, and what to do next.
package fault

import (
	"errors"
	"fmt"
)

// Kind is the word that playbooks branch on; they never branch on text.
type Kind string

const (
	Invalid     Kind = "invalid"     // the caller's arguments or a file's content make no sense
	Refused     Kind = "refused"     // going on could lose data, or a precondition does not hold
	Unreachable Kind = "unreachable" // nobody answers
	Timeout     Kind = "timeout"     // it did not happen within its limit
	Corrupt     Kind = "corrupt"     // data is damaged
	Unsupported Kind = "unsupported" // this host or version cannot do it
	Internal    Kind = "internal"    // a bug, or the operating system said no
)

// Error is a failure with a kind and a hint. Hint is the next thing to do, a command in full where there is one.
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

// KindOf is err's kind; an error without one is Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// HintOf is err's hint, or "".
func HintOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}
