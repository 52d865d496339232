package main

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/opensslca"
)

type issuance struct {
	Certificates []certificate `json:"certificates"`
}

// issued signs with the names that the playbook gives. Of a request only the key counts; one that asks for other names is refused.
func issued(ctx context.Context, call *ansible.Call, a args, now time.Time) (ansible.Result, error) {
	data := issuance{Certificates: []certificate{}}
	if len(a.Requests) == 0 {
		return ansible.Result{Data: data}, nil
	}
	names, err := subjectNames(a.Names)
	if err != nil {
		return ansible.Result{}, err
	}
	var subjects []opensslca.Subject
	for _, r := range a.Requests {
		key, err := keyOf(r, names)
		if err != nil {
			return ansible.Result{}, err
		}
		subjects = append(subjects, opensslca.Subject{Names: names, Key: key, Client: isClient(r.Purpose)})
	}
	ca, err := opensslca.Open(ctx, a.CADir, !call.CheckMode)
	if err != nil {
		return ansible.Result{}, err
	}
	defer ca.Close()
	if err := ca.MaySign(now); err != nil {
		return ansible.Result{}, err
	}
	changed := false
	for i, s := range subjects {
		c, err := ca.Find(s, ca.End(now, a.BelowDays))
		if err == nil && c == nil {
			if changed = true; call.CheckMode {
				continue
			}
			if c, err = ca.Issue(s, now, ca.End(now, a.Days)); err == nil {
				call.MarkChanged()
			}
		}
		if err != nil {
			return ansible.Result{Data: data}, err
		}
		data.Certificates = append(data.Certificates, answer(a.Requests[i].Purpose, c))
	}
	return ansible.Result{Changed: changed, Data: data}, nil
}

func answer(purpose string, c *x509.Certificate) certificate {
	return certificate{Purpose: purpose, Certificate: base64.StdEncoding.EncodeToString(c.Raw), Serial: opensslca.Serial(c), NotAfter: c.NotAfter.UTC().Format(time.RFC3339)}
}

func decode(text string) ([]byte, error) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(der) == 0 {
		return nil, errors.New("expected what the step before has returned, base64 of DER")
	}
	return der, nil
}

func keyOf(r request, names []string) (any, error) {
	if r.Purpose != "server" && r.Purpose != "peer" && !isClient(r.Purpose) {
		return nil, fault.New(fault.Invalid, "argument requests: expected purpose server, peer, master or flannel, found %.40q", r.Purpose)
	}
	der, err := decode(r.Request)
	if err != nil {
		return nil, fault.New(fault.Invalid, "argument requests: %s: %v", r.Purpose, err)
	}
	parsed, err := opensslca.ParseRequest(der)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "argument requests: %s", r.Purpose)
	}
	asked := append([]string{}, parsed.DNSNames...)
	for _, ip := range parsed.IPAddresses {
		asked = append(asked, ip.String())
	}
	asked = slices.DeleteFunc(asked, func(name string) bool { return slices.Contains(names, name) })
	if len(asked) > 0 || len(parsed.EmailAddresses)+len(parsed.URIs) > 0 {
		return nil, fault.New(fault.Refused, "the request for %s asks for %s, which argument names does not have; nothing was issued", r.Purpose, strings.Join(asked, ", ")).
			WithHint("give state=requested and state=issued the same names")
	}
	return parsed.PublicKey, nil
}
