package rotation

import (
	"strings"
	"testing"
	"time"

	"crypto/x509"

	"etcd-quorum-restore/modules/internal/opensslca"
)

// A host is done with each stage as given, and each thing that it lacks then is named with its host.
func TestBlockers(t *testing.T) {
	now := time.Now()
	fresh, _, err := opensslca.New(now, 10)
	if err != nil {
		t.Fatal(err)
	}
	leaves, _, err := opensslca.New(now.Add(-time.Minute), 10)
	if err != nil {
		t.Fatal(err)
	}
	n, o := opensslca.Identity(fresh), opensslca.Identity(leaves)
	both, alone := []string{n, o}, []string{n}
	host := func(etcd, master []string, signer string, restart ...string) Host {
		return Host{Restart: restart, Trusts: []Trusted{{"etcd", "/e", etcd}, {"master", "/m", master}}, Certificates: []Certificate{{"master", "/c", signer}}}
	}
	for name, c := range map[string]struct {
		stage string
		host  Host
		want  string // "" where it is done
	}{
		"trusts both":                  {Trust, host(both, both, o), ""},
		"one file lacks it":            {Trust, host(both, []string{o}, o), "/m, the CA file of master, lacks the new CA"},
		"not restarted":                {Trust, host(both, both, o, "etcd"), "etcd was not restarted"},
		"out of reach":                 {Trust, Host{Unreachable: true}, "h is out of reach"},
		"failed":                       {Trust, Host{Failed: true, Msg: "no file"}, "h: no file"},
		"renewed":                      {Issue, host(both, both, n), ""},
		"one certificate is old":       {Issue, host(both, both, o), "/c, of master, is not signed by the new CA"},
		"signed by nobody":             {Issue, host(both, both, ""), "/c, of master, is not signed by the new CA"},
		"clients have dropped it":      {Clients, host(both, alone, n), ""},
		"and share etcd's file":        {Clients, host(alone, alone, n, "etcd"), ""},
		"a client has it":              {Clients, host(both, both, n), "/m, the CA file of master, still has the old CA"},
		"a client was not restarted":   {Clients, host(both, alone, n, "master"), "master was not restarted"},
		"members have dropped it":      {Members, host(alone, alone, n), ""},
		"a member has it":              {Members, host(both, alone, n), "/e, the CA file of etcd, still has the old CA"},
		"a member was not restarted":   {Members, host(alone, alone, n, "etcd"), "etcd was not restarted"},
		"a host came back from before": {Members, host([]string{o}, alone, n), "lacks the new CA"},
	} {
		t.Run(name, func(t *testing.T) {
			r := Rotation{Stage: c.stage, Cert: fresh, Old: []*x509.Certificate{leaves}}
			got := strings.Join(r.Blockers(map[string]Host{"h": c.host}, nil, ""), "; ")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// A plain node that is off has nothing to do with etcd, unless flannel is in use.
func TestNodesOutOfReach(t *testing.T) {
	fresh, _, err := opensslca.New(time.Now(), 10)
	if err != nil {
		t.Fatal(err)
	}
	r := Rotation{Stage: Trust, Cert: fresh}
	id := []string{opensslca.Identity(fresh)}
	hosts := map[string]Host{"node": {Unreachable: true}, "other": {Trusts: []Trusted{{"etcd", "/e", id}}}}
	if got := r.Blockers(hosts, []string{"node"}, ""); len(got) > 0 {
		t.Error(got)
	}
	if got := r.Blockers(hosts, nil, ""); len(got) != 1 {
		t.Error(got)
	}
	hosts["other"] = Host{Trusts: []Trusted{{"flannel", "/f", id}}}
	if got := r.Blockers(hosts, []string{"node"}, ""); len(got) != 1 {
		t.Error(got)
	}
}

// Who has the master's files from elsewhere is named with the command, until the old CA begins to leave.
func TestBystanders(t *testing.T) {
	fresh, _, err := opensslca.New(time.Now(), 10)
	if err != nil {
		t.Fatal(err)
	}
	done := Host{Trusts: []Trusted{{"master", "/m", []string{opensslca.Identity(fresh)}}}}
	for name, c := range map[string]struct {
		stage, secret string
		others        Bystanders
		want          string
	}{
		"none":                       {Trust, "", Bystanders{}, ""},
		"an old catalog":             {Trust, "", Bystanders{Catalog: true}, "oc -n kube-service-catalog delete pods"},
		"calico":                     {Trust, "", Bystanders{Calico: true}, "-e etcd_calico_secret=issue"},
		"calico, for this stage":     {Trust, "issue", Bystanders{Calico: true}, ""},
		"calico, for the one before": {Issue, "issue", Bystanders{Calico: true}, "-e etcd_calico_secret=clients"},
		"both, at the end":           {Members, "", Bystanders{true, true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := Rotation{Stage: c.stage, Cert: fresh}
			done.Others = c.others
			got := strings.Join(r.Blockers(map[string]Host{"h": done}, nil, c.secret), "; ")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
