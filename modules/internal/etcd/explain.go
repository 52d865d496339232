package etcd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"etcd-quorum-restore/modules/internal/fault"
)

// How far a connection got: the error alone does not tell a dead host from an etcd that hangs.
const (
	phaseNothing = iota
	phaseConnected
	phaseSecured
)

// explain turns a network failure into an error that an operator can act on.
func (w *web) explain(err error, phase int, limit time.Duration) error {
	err = plain(err)
	if known := w.explainTLS(err); known != nil {
		return known
	}
	switch {
	case errors.Is(err, context.Canceled):
		return fault.Wrap(fault.Timeout, err, "%s", w.base)
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOENT):
		return fault.New(fault.Unreachable, "%s: connection refused: no etcd listens there", w.base)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fault.New(fault.Unreachable, "%s: no route to the host", w.base)
	case isTimeout(err) && phase == phaseNothing:
		return fault.New(fault.Unreachable, "%s: no connection within %v: the host is off, or a firewall drops the packets", w.base, limit)
	case isTimeout(err) && phase >= phaseConnected:
		return fault.New(fault.Timeout, "%s: accepts the connection and answers nothing within %v", w.base, limit).
			WithHint("an etcd that was restarted without quorum does that on its client port, a frozen or overloaded one everywhere")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return fault.New(fault.Unreachable, "%s: closed the connection without an answer", w.base)
	}
	return fault.Wrap(fault.Unreachable, err, "%s", w.base)
}

func (w *web) explainTLS(err error) error {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var alert tls.AlertError
	switch {
	case errors.As(err, &authority):
		return fault.New(fault.Invalid, "%s: its certificate is not signed by the CA in %s", w.base, w.files.CA)
	case errors.As(err, &name):
		return fault.Wrap(fault.Invalid, name, "%s: its certificate is issued for other names", w.base)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fault.Wrap(fault.Invalid, invalid, "%s: its certificate is not valid at this host's time", w.base).
			WithHint("compare the clocks of both hosts (`date -u`) before replacing the certificate")
	case errors.As(err, &invalid):
		return fault.Wrap(fault.Invalid, invalid, "%s: its certificate", w.base)
	case strings.Contains(err.Error(), "tls:") && strings.Contains(err.Error(), "protocol version"): // their alert, or our own
		return fault.Wrap(fault.Unsupported, err, "%s: speaks no TLS 1.2, which is the least that is accepted here", w.base).
			WithHint("etcd speaks it in every release: see what listens there (ss -tlnp), and what stands in between")
	case errors.As(err, &alert), strings.Contains(err.Error(), "remote error: tls:"):
		return fault.Wrap(fault.Invalid, err, "%s: refuses the client certificate %s", w.base, w.files.Cert).
			WithHint("it must be signed by etcd's CA, be valid now, and allow clientAuth (a server certificate of before June 2018 does not)")
	case isPlainHTTP(err):
		return fault.New(fault.Invalid, "%s: speaks plain HTTP there: write http:// if that is meant", w.base)
	}
	return nil
}

// Advice for etcd's own refusals; the texts are etcd's, in all releases from 3.2.
const (
	hintUnhealthy = "all started members must have been connected for 5 s: see `ansible etcd -m etcd_cluster_info`, then run it again"
	hintStarted   = "start the members that are down first, or remove the one that will not come back: see `ansible etcd -m etcd_cluster_info`"
	hintQuorum    = "if members can be started, start them; else ansible-playbook playbooks/restore_quorum.yml"
)

// explainCall turns an error of the v3 client into a failure with a kind; what names the call in words.
func explainCall(endpoint, what string, limit time.Duration, err error) error {
	if err == nil {
		return nil
	}
	known := rpctypes.Error(err)
	switch {
	case ranOut(err) && limit <= 0:
		return fault.New(fault.Timeout, "%s: no time was left for %s", endpoint, what).WithHint("give the module a longer timeout")
	case ranOut(err):
		return fault.New(fault.Timeout, "%s: no answer to %s within %v", endpoint, what, limit.Round(time.Millisecond)).WithHint(hintQuorum)
	case errors.Is(known, rpctypes.ErrUnhealthy):
		return fault.Wrap(fault.Timeout, known, "%s: %s", endpoint, what).WithHint(hintUnhealthy)
	case errors.Is(known, rpctypes.ErrMemberNotEnoughStarted):
		return fault.Wrap(fault.Refused, known, "%s: %s", endpoint, what).WithHint(hintStarted)
	case errors.Is(known, rpctypes.ErrMemberNotFound), errors.Is(known, rpctypes.ErrPeerURLExist), errors.Is(known, rpctypes.ErrMemberExist):
		return fault.Wrap(fault.Refused, known, "%s: %s", endpoint, what)
	case errors.Is(known, rpctypes.ErrNoLeader), errors.Is(known, rpctypes.ErrTimeout), errors.Is(known, rpctypes.ErrTimeoutDueToLeaderFail),
		errors.Is(known, rpctypes.ErrTimeoutDueToConnectionLost), errors.Is(known, rpctypes.ErrLeaderChanged):
		return fault.Wrap(fault.Timeout, known, "%s: %s", endpoint, what).WithHint(hintQuorum)
	}
	if tooLarge(err) {
		return fault.Wrap(fault.Unsupported, err, "%s: %s: one answer has more than %d bytes", endpoint, what, largestMessage)
	}
	switch status.Code(err) {
	case codes.Unavailable:
		return fault.Wrap(fault.Unreachable, err, "%s: %s", endpoint, what)
	case codes.Unimplemented:
		return fault.Wrap(fault.Unsupported, err, "%s: %s", endpoint, what)
	}
	return fault.Wrap(fault.Internal, err, "%s: %s", endpoint, what)
}

// tooLarge is true where an answer was longer than largestMessage. gRPC's code for it also means "no space".
func tooLarge(err error) bool {
	return status.Code(err) == codes.ResourceExhausted && strings.Contains(err.Error(), "larger than max")
}

// ranOut recognizes the end of a call's time in all its forms: 3.4 sends its own as an error of unknown code.
func ranOut(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || status.Code(err) == codes.DeadlineExceeded ||
		strings.HasSuffix(err.Error(), context.DeadlineExceeded.Error())
}
