package etcd

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
)

// The v2 API's membership calls. Answers of 3.2.32: POST 201 or 409, DELETE 204, 410 (removed before) or 404, PUT 204, 409 or 404.

// MemberAdd adds a member by its peer URLs.
func (v *V2) MemberAdd(ctx context.Context, peerURLs []string) error {
	return v.change(ctx, "member add", http.MethodPost, "/v2/members", peerURLs, http.StatusCreated)
}

// MemberRemove removes a member; one that was removed before is no error.
func (v *V2) MemberRemove(ctx context.Context, id facts.ID) error {
	return v.change(ctx, "member remove", http.MethodDelete, "/v2/members/"+id.String(), nil, http.StatusNoContent, http.StatusGone)
}

// MemberUpdate replaces a member's peer URLs.
func (v *V2) MemberUpdate(ctx context.Context, id facts.ID, peerURLs []string) error {
	return v.change(ctx, "member update", http.MethodPut, "/v2/members/"+id.String(), peerURLs, http.StatusNoContent)
}

func (v *V2) change(ctx context.Context, what, method, path string, peerURLs []string, good ...int) error {
	var body io.Reader
	if peerURLs != nil {
		raw, err := json.Marshal(map[string][]string{"peerURLs": peerURLs})
		if err != nil {
			return fault.Wrap(fault.Internal, err, "%s", what)
		}
		body = bytes.NewReader(raw)
	}
	r, err := v.web.ask(ctx, v.web.call, method, path, body)
	if err != nil {
		return err
	}
	defer r.done()
	for _, status := range good {
		if r.status == status {
			return nil
		}
	}
	text, err := v.web.readSmall(r, v.web.call)
	if err != nil {
		return err
	}
	return v.refused(what, r.status, text)
}

func (v *V2) refused(what string, status int, text []byte) error {
	var said struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(text, &said) != nil {
		said.Message = strings.TrimSpace(string(text))
	}
	switch {
	case strings.Contains(said.Message, "unhealthy cluster"):
		return fault.New(fault.Timeout, "%s: %s: %s", v.web.base, what, said.Message).WithHint(hintUnhealthy)
	case strings.Contains(said.Message, "not enough started members"):
		return fault.New(fault.Refused, "%s: %s: %s", v.web.base, what, said.Message).WithHint(hintStarted)
	case status >= http.StatusInternalServerError:
		return fault.New(fault.Timeout, "%s: %s: HTTP status %d, %s", v.web.base, what, status, said.Message).WithHint(hintQuorum)
	}
	return fault.New(fault.Refused, "%s: %s: HTTP status %d, %s", v.web.base, what, status, said.Message)
}
