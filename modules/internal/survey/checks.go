package survey

import (
	"context"
	"fmt"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/hosturl"
)

const (
	ok     = "ok"
	failed = "failed"
)

// checks are the conditions that a recovery needs. None of them needs etcd to run.
func checks(ctx context.Context, out facts.Host, h *host.Host, s host.Status) []facts.Check {
	list := []facts.Check{checkConf(out, h), checkAddress(h), checkName(out), checkOwner(out, h.CheckOwner(ctx, s.View.User)), checkStrangers(h, s), checkFence(s)}
	if out.Log != nil && len(out.Log.BrokenSnapshots) > 0 {
		list = append(list, brokenSnapshots(out.Log))
	}
	if out.Runtime == facts.StaticPod {
		list = append(list, checkManifest(h), checkOtherPods(h))
	}
	return list
}

func certificateFiles(h *host.Host) []CertificateFile {
	client := hosturl.TLSHosts(append(h.Config.ListenClientURLs, h.Config.ClientURLs...))
	peer := hosturl.TLSHosts(append(h.Config.ListenPeerURLs, h.Config.PeerURLs...))
	return []CertificateFile{
		{Purpose: "ca", Path: h.Conf.Get("ETCD_TRUSTED_CA_FILE")},
		{Purpose: "server", Path: h.Conf.Get("ETCD_CERT_FILE"), Hosts: client},
		{Purpose: "peer", Path: h.Conf.Get("ETCD_PEER_CERT_FILE"), Hosts: peer},
	}
}

func checkConf(out facts.Host, h *host.Host) facts.Check {
	c := facts.Check{Name: "config", Status: failed}
	switch {
	case h.Conf.File == nil:
		c.Line = h.EtcdConf + " does not exist"
		c.Advice = "bring it back from its backup: ansible HOST -m etcd_config_backup -a state=restored"
		if kept := h.CopyOfConf(memberName(out)); kept != "" {
			c.Advice = "put the copy back that the chapter makes: cp -p " + kept + " " + h.EtcdConf
		}
	case h.Conf.Doubt != nil:
		c.Line = fmt.Sprintf("%s: %v", h.EtcdConf, h.Conf.Doubt)
		c.Advice = "write the line plainly, KEY=value, as the installer does"
	case out.Config.Name == "" || len(out.Config.PeerURLs) == 0 || len(out.Config.ClientURLs) == 0:
		c.Line = h.EtcdConf + " lacks ETCD_NAME, ETCD_INITIAL_ADVERTISE_PEER_URLS or ETCD_ADVERTISE_CLIENT_URLS"
		c.Advice = "set them as openshift-ansible does: the host's name, https://IP:2380, https://IP:2379"
	default:
		c.Status, c.Line = ok, h.EtcdConf+" is complete"
	}
	return c
}

// checkAddress: etcd cannot listen on an address that the host has lost, so it does not start, also where it still runs.
func checkAddress(h *host.Host) facts.Check {
	missing := h.MissingAddress()
	if missing == "" {
		return facts.Check{Name: "listen_address", Status: ok, Line: "the host has the addresses on which etcd listens"}
	}
	return facts.Check{Name: "listen_address", Status: failed,
		Line: fmt.Sprintf("etcd is to listen on %s (%s), and the host does not have that address", missing, h.EtcdConf),
		Advice: "if the host has a new address and the cluster has quorum: ansible-playbook playbooks/readdress.yml -e etcd_host=HOST; " +
			"without quorum first give it the old one back beside the new one (ip addr add " + missing + " dev INTERFACE), then: ansible-playbook playbooks/restore_quorum.yml"}
}

// checkName: with a wrong ETCD_NAME a member starts, and then publishes the wrong name in place of the right one.
func checkName(out facts.Host) facts.Check {
	c := facts.Check{Name: "name", Status: ok, Line: "ETCD_NAME is " + out.Config.Name}
	switch name := memberName(out); {
	case out.Config.Name == "":
		c.Line = "no ETCD_NAME, see config"
	case name != "" && name != out.Config.Name:
		c.Status = failed
		c.Line = fmt.Sprintf("ETCD_NAME in etcd.conf is %s, the data belongs to %s", out.Config.Name, out.Member.Name)
		c.Advice = "set ETCD_NAME=" + out.Member.Name + " in " + out.Config.Path
	}
	return c
}

// memberName is the name in the data; "" where it is not known.
func memberName(out facts.Host) string {
	if out.Member == nil {
		return ""
	}
	return out.Member.Name
}

// brokenSnapshots: etcd itself skips such a file and reads more of its log instead, so it is no obstacle, but worth knowing.
func brokenSnapshots(l *facts.Log) facts.Check {
	d := l.BrokenSnapshots[0]
	return facts.Check{
		Name: "snapshots", Status: "ignored",
		Line:   fmt.Sprintf("%d .snap file(s) newer than the one in use cannot be used, the newest is %s (%s); the log holds what they held", len(l.BrokenSnapshots), d.File, d.Text),
		Advice: "look at the disk: a power cut leaves one such file, a bad disk more",
	}
}

// checkOwner: unreadable is package host's error about the files in the directory.
func checkOwner(out facts.Host, unreadable error) facts.Check {
	c := facts.Check{Name: "data_owner", Status: ok, Line: out.DataDir.Path + " belongs to " + out.DataDir.Owner}
	switch {
	case !out.DataDir.Exists:
		c.Line = out.DataDir.Path + " does not exist"
		c.Status, c.Advice = failed, "make it: install -d -m 0700 -o etcd -g etcd "+out.DataDir.Path
	case fault.KindOf(unreadable) == fault.Refused: // any other error: a file that was removed meanwhile
		c.Status, c.Line, c.Advice = failed, unreadable.Error(), fault.HintOf(unreadable)
	case out.Runtime == facts.Systemd && out.DataDir.Owner != "etcd":
		c.Status, c.Advice = failed, "the unit runs as user etcd: chown -R etcd:etcd "+out.DataDir.Path
	}
	return c
}

func checkStrangers(h *host.Host, s host.Status) facts.Check {
	c := facts.Check{Name: "one_etcd", Status: ok, Line: "no second etcd runs on this data directory"}
	if len(s.Strangers) > 0 {
		p := s.Strangers[0]
		c.Status, c.Line = failed, fmt.Sprintf("process %d is an etcd on this data directory that the service did not start", p.PID)
		c.Advice = "find out who started it, and end it in good order: " + h.EndBy(p)
	} else if len(s.Namesakes) > 0 {
		c.Line += fmt.Sprintf("; process %d is merely called etcd", s.Namesakes[0].PID)
	}
	return c
}

func checkFence(s host.Status) facts.Check {
	c := facts.Check{Name: "fence", Status: ok, Line: "no fence"}
	if s.Fence != nil {
		c.Line = "fenced: " + s.Fence.Why
		if s.FenceHole != "" {
			// This does not refuse: an interrupted forced start leaves it so, and the next fence sets it again or fails.
			c.Status, c.Line = "ignored", "the fence does not hold: "+s.FenceHole
			c.Advice = "set it again: ansible HOST -m etcd_fence"
		}
	}
	return c
}

func checkManifest(h *host.Host) facts.Check {
	c := facts.Check{Name: "manifest", Status: ok, Line: "the pod's manifest can be edited"}
	if err := h.CheckManifest(); err != nil {
		c.Status, c.Line, c.Advice = failed, err.Error(), fault.HintOf(err)
	}
	return c
}

// checkOtherPods: the API is restarted right after the forced start, which is impossible while its manifest is elsewhere.
func checkOtherPods(h *host.Host) facts.Check {
	c := facts.Check{Name: "other_pods", Status: ok, Line: "the manifests of the API and the controllers were not moved away"}
	if moved := h.MovedAside(); len(moved) > 0 {
		c.Status, c.Line = failed, "moved away together with etcd's manifest: "+strings.Join(moved, ", ")
		c.Advice = "move them back, they harm nothing: mv " + strings.Join(moved, " ") + " " + h.ManifestDir + "/"
	}
	return c
}
