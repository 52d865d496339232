package onhost_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/onhost"
)

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

type args struct {
	host.Options
	wrong error
}

func (a args) OfHost() (host.Options, error) { return a.Options, a.wrong }

func TestLoaded(t *testing.T) {
	f := hosttest.New(t)
	here, nowhere := host.Options{EtcdConf: f.Conf}, host.Options{EtcdConf: f.Conf + ".lost"}
	for name, c := range map[string]struct {
		args args
		want string // of the error; "" where the module is reached
	}{
		"a host":                       {args{here, nil}, ""},
		"no host":                      {args{nowhere, nil}, "etcd.conf.lost"},
		"wrong by itself":              {args{here, errors.New("not both")}, "not both"},
		"both: the arguments go first": {args{nowhere, errors.New("not both")}, "not both"},
	} {
		var reached *host.Host
		run := func(_ context.Context, _ *ansible.Call, _ args, h *host.Host) (ansible.Result, error) {
			reached = h
			return ansible.Result{}, nil
		}
		_, err := onhost.Loaded(run)(t.Context(), &ansible.Call{}, c.args)
		switch {
		case c.want == "" && (err != nil || reached == nil || reached.EtcdConf != f.Conf):
			t.Errorf("%s: %v, %+v", name, err, reached)
		case c.want != "" && (err == nil || reached != nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, %+v; expected %q, and no module", name, err, reached, c.want)
		}
	}
}
