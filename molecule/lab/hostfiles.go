package main

import (
	"bytes"
	"embed"
	"strings"
	"text/template"
	"time"
)

//go:embed files
var embedded embed.FS

// etcdUID owns etcd's files on every host; the image has a user of that number.
const etcdUID = 995

// File is one file (or directory, or link) to put on a host.
type File struct {
	Path    string
	Mode    uint32
	Owner   int // user and group
	Content []byte
	Dir     bool
	Link    string
}

// hostData is what the templates see.
type hostData struct {
	Host Host
	Etcd []Host
}

func (d hostData) InitialCluster() string {
	var parts []string
	for _, h := range d.Etcd {
		parts = append(parts, h.Name+"=https://"+h.IP+":2380")
	}
	// A spare host's file was written for it alone, as the installer's
	// [new_etcd] run would before `member add` tells it better.
	if d.Host.Spare {
		parts = append(parts, d.Host.Name+"=https://"+d.Host.IP+":2380")
	}
	return strings.Join(parts, ",")
}

func (d hostData) EtcdURLs() string {
	var urls []string
	for _, h := range d.Etcd {
		urls = append(urls, "https://"+h.Name+":2379")
	}
	return strings.Join(urls, ",")
}

// FlannelCert names flannel's certificate files: an etcd host's own, a
// master's, or those that nodes are given.
func (d hostData) FlannelCert(part string) string {
	switch {
	case d.Host.Etcd && part == "ca.crt":
		return "/etc/etcd/ca.crt"
	case d.Host.Etcd:
		return "/etc/etcd/peer." + part
	case d.Host.Master && part == "ca.crt":
		return "/etc/origin/master/master.etcd-ca.crt"
	case d.Host.Master:
		return "/etc/origin/master/master.etcd-client." + part
	case part == "ca.crt":
		return "/etc/origin/node/flannel.etcd-ca.crt"
	default:
		return "/etc/origin/node/flannel.etcd-client." + part
	}
}

// hostCerts are the pairs that a host's files need.
type hostCerts struct{ Server, Peer, Client Pair }

func issueFor(a *Authority, h Host) (c hostCerts, err error) {
	r := certRequest{
		CommonName: h.Name, DNS: []string{h.Name}, IPs: []string{h.IP},
		NotAfter: time.Now().Add(fiveYears),
	}
	if c, err = issueEtcd(a, r); err != nil || !h.Master && !h.Node {
		return c, err
	}
	r.Usages = clientUsage
	c.Client, err = a.issue(r)
	return c, err
}

// issueEtcd makes the two pairs of an etcd host; a master serves with the same
// server pair.
func issueEtcd(a *Authority, r certRequest) (c hostCerts, err error) {
	r.Usages = serverUsage
	if c.Server, err = a.issue(r); err != nil {
		return c, err
	}
	r.Usages = peerUsage
	c.Peer, err = a.issue(r)
	return c, err
}

// etcdOwned is a file that only etcd's user may read.
func etcdOwned(path string, content []byte) File {
	return File{Path: path, Mode: 0o600, Owner: etcdUID, Content: content}
}

func certFiles(a *Authority, c hostCerts) []File {
	return []File{
		etcdOwned("/etc/etcd/ca.crt", a.CertPEM),
		etcdOwned("/etc/etcd/server.crt", c.Server.Cert),
		etcdOwned("/etc/etcd/server.key", c.Server.Key),
		etcdOwned("/etc/etcd/peer.crt", c.Peer.Cert),
		etcdOwned("/etc/etcd/peer.key", c.Peer.Key),
	}
}

// filesFor is everything that makes the image into this host.
func filesFor(h Host, all []Host, o Options, a *Authority, c hostCerts, sshPublic []byte) []File {
	d := hostData{Host: h, Etcd: members(all)}
	files := []File{
		{Path: "/root/.ssh", Mode: 0o700, Dir: true},
		{Path: "/root/.ssh/authorized_keys", Mode: 0o600, Content: sshPublic},
	}
	if h.Pod && !h.Bare {
		files = append(files, podFiles(d, o.ManifestLayout)...)
	}
	if h.Etcd || h.Spare {
		files = append(files, etcdFiles(d, o, a, c)...)
	}
	if h.Bare && !h.Pod {
		files = append(files, packageFiles()...)
	}
	if h.Master {
		files = append(files, masterFiles(d, a, c)...)
	}
	if h.Node {
		files = append(files, nodeFiles(d, a, c)...)
	}
	return files
}

func etcdFiles(d hostData, o Options, a *Authority, c hostCerts) []File {
	files := append(certFiles(a, c),
		File{Path: "/etc/etcd", Mode: 0o700, Owner: etcdUID, Dir: true},
		File{Path: "/etc/etcd/etcd.conf", Mode: 0o644, Content: render("etcd.conf.tmpl", d)},
	)
	if d.Host.CA {
		files = append(files,
			File{Path: "/etc/etcd/ca", Mode: 0o700, Owner: etcdUID, Dir: true},
			File{Path: "/etc/etcd/ca/certs", Mode: 0o700, Owner: etcdUID, Dir: true},
			etcdOwned("/etc/etcd/ca/ca.crt", a.CertPEM),
			etcdOwned("/etc/etcd/ca/ca.key", a.KeyPEM),
			etcdOwned("/etc/etcd/ca/serial", []byte("01\n")),
			etcdOwned("/etc/etcd/ca/index.txt", nil),
		)
	}
	if d.Host.Pod {
		return files
	}
	files = append(files, File{Path: "/etc/systemd/system/etcd.service", Mode: 0o644, Content: raw("etcd.service")})
	if !o.EtcdDisabled && d.Host.Etcd {
		files = append(files, wantedBy("etcd.service"))
	}
	return files
}

// packageFiles are what etcd's RPM brings beside the binary and the user that the image has.
func packageFiles() []File {
	return []File{
		{Path: "/etc/etcd", Mode: 0o755, Dir: true},
		{Path: "/etc/etcd/etcd.conf", Mode: 0o644, Content: raw("etcd.conf.package")},
		{Path: "/etc/systemd/system/etcd.service", Mode: 0o644, Content: raw("etcd.service")},
	}
}

func masterFiles(d hostData, a *Authority, c hostCerts) []File {
	const dir = "/etc/origin/master/"
	files := []File{
		{Path: "/etc/origin", Mode: 0o755, Dir: true},
		{Path: "/etc/origin/master", Mode: 0o700, Dir: true},
		{Path: dir + "master-config.yaml", Mode: 0o600, Content: render("master-config.yaml.tmpl", d)},
		{Path: dir + "master.etcd-ca.crt", Mode: 0o644, Content: a.CertPEM},
		{Path: dir + "master.etcd-client.crt", Mode: 0o600, Content: c.Client.Cert},
		{Path: dir + "master.etcd-client.key", Mode: 0o600, Content: c.Client.Key},
		{Path: dir + "master.server.crt", Mode: 0o600, Content: c.Server.Cert},
		{Path: dir + "master.server.key", Mode: 0o600, Content: c.Server.Key},
	}
	if d.Host.Pod {
		return files
	}
	return append(files, []File{
		{Path: "/usr/local/bin/master-restart", Mode: 0o755, Content: raw("master-restart")},
		{Path: "/usr/local/bin/master-logs", Mode: 0o755, Content: raw("master-logs")},
		{Path: "/etc/systemd/system/lab-master-api.service", Mode: 0o644, Content: raw("lab-master-api.service")},
		{Path: "/etc/systemd/system/lab-master-controllers.service", Mode: 0o644, Content: raw("lab-master-controllers.service")},
		wantedBy("lab-master-api.service"),
		wantedBy("lab-master-controllers.service"),
	}...)
}

func nodeFiles(d hostData, a *Authority, c hostCerts) []File {
	files := []File{
		{Path: "/etc/sysconfig", Mode: 0o755, Dir: true},
		{Path: "/etc/sysconfig/flanneld", Mode: 0o644, Content: render("flanneld.tmpl", d)},
		{Path: "/etc/systemd/system/flanneld.service", Mode: 0o644, Content: raw("flanneld.service")},
		wantedBy("flanneld.service"),
	}
	if !d.Host.Etcd && !d.Host.Master {
		files = append(files,
			File{Path: "/etc/origin", Mode: 0o755, Dir: true},
			File{Path: "/etc/origin/node", Mode: 0o700, Dir: true},
			File{Path: d.FlannelCert("ca.crt"), Mode: 0o644, Content: a.CertPEM},
			File{Path: d.FlannelCert("crt"), Mode: 0o600, Content: c.Client.Cert},
			File{Path: d.FlannelCert("key"), Mode: 0o600, Content: c.Client.Key},
		)
	}
	return files
}

func wantedBy(unit string) File {
	return File{Path: "/etc/systemd/system/multi-user.target.wants/" + unit, Link: "/etc/systemd/system/" + unit}
}

func raw(name string) []byte {
	b, err := embedded.ReadFile("files/" + name)
	if err != nil {
		panic(err) // a name misspelled in this program
	}
	return b
}

func render(name string, d hostData) []byte {
	var b bytes.Buffer
	t := template.Must(template.New(name).Parse(string(raw(name))))
	if err := t.Execute(&b, d); err != nil {
		panic(err)
	}
	return b.Bytes()
}
