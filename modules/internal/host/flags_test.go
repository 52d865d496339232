package host_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/hosttest"
)

const tempConf = "etc/systemd/system/etcd.service.d/temp.conf"

// The chapter's temp.conf, as its commands write it on a unit whose line ends in a quote, and on one whose line does not.
const (
	chapters = `[Service]
ExecStart=
ExecStart=/bin/bash -c "GOMAXPROCS=$(nproc) /usr/bin/etcd --name=\"${ETCD_NAME}\" --force-new-cluster"
`
	chaptersEmpty = "[Service]\nExecStart=\n"
)

func TestForceFlagsAreFoundAndTakenOut(t *testing.T) {
	for name, c := range map[string]struct {
		path, text, where string // where "" = none
		kept              string // the suffix of the kept file; "refused" where a person has to do it
	}{
		"chapter":            {tempConf, chapters, host.InDropIn, "temp.conf.removed-"},
		"chapter, empty":     {tempConf, chaptersEmpty, host.InDropIn, "temp.conf.removed-"},
		"environment":        {"run/systemd/system/etcd.service.d/a.conf", "[Service]\nEnvironment=ETCD_FORCE_NEW_CLUSTER=true\n", host.InDropIn, "a.conf.removed-"},
		"quoted":             {tempConf, "[Service]\nEnvironment=\"ETCD_FORCE_NEW_CLUSTER=1\"\n", host.InDropIn, "temp.conf.removed-"},
		"continued":          {tempConf, "[Service]\nExecStart=\nExecStart=/usr/bin/etcd \\\n  --force-new-cluster\n", host.InDropIn, "temp.conf.removed-"},
		"one dash":           {tempConf, "[Service]\nExecStart=/usr/bin/etcd -force-new-cluster=true\n", host.InDropIn, "temp.conf.removed-"},
		"off":                {tempConf, "[Service]\nExecStart=/usr/bin/etcd --force-new-cluster=false\n", "", ""},
		"comment":            {tempConf, "[Service]\n# ExecStart=/usr/bin/etcd --force-new-cluster\nLimitNOFILE=1\n", "", ""},
		"with other things":  {tempConf, "[Service]\nLimitNOFILE=1\nEnvironment=ETCD_FORCE_NEW_CLUSTER=true\n", host.InDropIn, "refused"},
		"in the unit itself": {"usr/lib/systemd/system/etcd.service", "[Service]\nExecStart=/usr/bin/etcd --force-new-cluster\n", host.InUnit, "refused"},
		"backup of a drop-in": {"etc/systemd/system/etcd.service.d/temp.conf.removed-20260101T000000Z",
			chapters, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := hosttest.New(t)
			f.Write(c.path, c.text)
			h := load(t, f)
			ctx := soon(t, 10*time.Second)
			flags, err := h.ForceFlags(ctx)
			if err != nil || (c.where == "") != (len(flags) == 0) {
				t.Fatalf("%+v, %v", flags, err)
			}
			if c.where == "" {
				return
			}
			if flags[0].Where != c.where || flags[0].Path != filepath.Join(f.Root, c.path) {
				t.Fatalf("%+v", flags)
			}
			kept, err := h.RemoveForceFlags(ctx, flags)
			if c.kept == "refused" {
				failed(t, err, fault.Refused, "other settings", "daemon-reload")
				if f.Read(c.path) != c.text {
					t.Error("refused, and yet changed")
				}
				return
			}
			if err != nil || len(kept) != 1 || !strings.Contains(kept[0], c.kept) || strings.HasSuffix(kept[0], ".conf") {
				t.Fatalf("kept %v, %v", kept, err)
			}
			if flags, err = h.ForceFlags(ctx); err != nil || len(flags) != 0 {
				t.Errorf("still there: %+v, %v", flags, err)
			}
			if calls := f.Calls(); calls[len(calls)-1] != "daemon-reload" {
				t.Errorf("systemd was not told: %v", calls)
			}
		})
	}
}

func TestForceFlagInEtcdConf(t *testing.T) {
	for value, forced := range map[string]bool{"true": true, "1": true, "yes": true, "false": false, "": false} {
		f := hosttest.New(t)
		before := f.Read("etc/etcd/etcd.conf")
		f.Write("etc/etcd/etcd.conf", before+"ETCD_FORCE_NEW_CLUSTER="+value+"\n")
		h := load(t, f)
		flags, err := h.ForceFlags(soon(t, 5*time.Second))
		if err != nil || forced != (len(flags) == 1) {
			t.Fatalf("%q: %+v, %v", value, flags, err)
		}
		if !forced {
			continue
		}
		kept, err := h.RemoveForceFlags(soon(t, 5*time.Second), flags)
		if err != nil || len(kept) != 1 || f.Read("etc/etcd/etcd.conf") != before {
			t.Errorf("%q: kept %v, %v; the file is now:\n%s", value, kept, err, f.Read("etc/etcd/etcd.conf"))
		}
	}
}
