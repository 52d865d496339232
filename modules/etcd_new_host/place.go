package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/envfile"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/opensslca"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/root"
	"etcd-quorum-restore/modules/internal/safefile"
)

// placing is all that is written; etcd.conf is the last, so that a run that was killed begins again.
type placing struct {
	conf     *envfile.File
	dataDir  string
	files    []place
	peerURLs []string
	names    []string
	pairs    []string // certificates and keys that are to be made
	uid, gid int      // of etcd's user
	runtime  string
	manifest *place // of a static pod
	image    string
}

type place struct {
	path    string
	content []byte
	mode    fs.FileMode
}

func (a args) plan(h *host.Host, runtime string) (placing, error) {
	if !nameForm.MatchString(a.Name) || len(a.Name) > 253 {
		return placing{}, fault.New(fault.Invalid, "argument name: expected a host's name in lower case, found %.200q", a.Name)
	}
	text, err := decoded("sibling.conf", a.Sibling.Conf)
	if err != nil {
		return placing{}, err
	}
	theirs, err := envfile.Parse(text)
	if err != nil {
		return placing{}, fault.Wrap(fault.Invalid, err, "argument sibling.conf")
	}
	address, err := a.address(theirs)
	if err != nil {
		return placing{}, err
	}
	conf, err := compose(text, a.Name, address)
	if err != nil {
		return placing{}, err
	}
	p := placing{conf: conf, names: []string{a.Name, address}, runtime: runtime}
	get := func(key string) string { value, _ := conf.Get(key); return value }
	p.pairs = pairFiles(get)
	advertised := get("ETCD_INITIAL_ADVERTISE_PEER_URLS")
	p.peerURLs = strings.Split(advertised, ",")
	if p.dataDir, err = dataDir(conf); err == nil && runtime == facts.StaticPod {
		err = p.composePod(a, h, address)
	}
	if err != nil {
		return p, err
	}
	for _, ca := range a.Sibling.CAFiles {
		content, err := decoded("sibling.ca_files", ca.Content)
		if err == nil && !filepath.IsAbs(ca.Path) {
			err = fault.New(fault.Invalid, "argument sibling.ca_files: expected an absolute path, found %.200q", ca.Path)
		}
		if err == nil {
			_, err = opensslca.FirstCertificate(content)
		}
		if err != nil {
			return p, fault.Wrap(fault.Invalid, err, "argument sibling.ca_files")
		}
		if filepath.Dir(ca.Path) != filepath.Dir(h.EtcdConf) {
			return p, fault.New(fault.Unsupported, "the sibling's CA file is %s, which is not in %s", ca.Path, filepath.Dir(h.EtcdConf)).WithHint(byInstaller)
		}
		p.files = append(p.files, place{ca.Path, content, 0o600})
	}
	p.files = append(p.files, place{h.EtcdConf, conf.Bytes(), 0o644})
	return p, p.free()
}

func dataDir(conf *envfile.File) (string, error) {
	dir, _ := conf.Get("ETCD_DATA_DIR")
	if dir == "" {
		return root.Path(host.DefaultDataDir), nil
	}
	if !filepath.IsAbs(dir) {
		return "", fault.New(fault.Unsupported, "the sibling's etcd.conf has ETCD_DATA_DIR=%s; expected an absolute path", dir)
	}
	return filepath.Clean(dir), nil
}

// free refuses a directory in which a member's data is: whose it is, is not known, and the new member would take it for its own.
func (p placing) free() error {
	member := filepath.Join(p.dataDir, "member")
	switch _, err := os.Lstat(member); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fault.Wrap(fault.Internal, err, "%s", member)
	}
	return fault.New(fault.Refused, "%s holds the data of a member, so this is no new host; nothing was changed", p.dataDir).
		WithHint("bring its /etc/etcd back (etcd_config_backup state=restored), or, where nobody needs that data: mv %s %s.old", member, member)
}

// address is the one that was given, or the one by which this host reaches the sibling. No packet is sent for that.
func (a args) address(theirs *envfile.File) (string, error) {
	if a.Address != "" {
		ip, err := host.OwnAddress(a.Address)
		if err != nil {
			return "", err
		}
		return ip.String(), nil
	}
	advertised, _ := theirs.Get("ETCD_INITIAL_ADVERTISE_PEER_URLS")
	u, err := url.Parse(strings.Split(advertised, ",")[0])
	if err == nil {
		var c net.Conn
		if c, err = net.Dial("udp", u.Host); err == nil {
			defer c.Close()
			host, _, err := net.SplitHostPort(c.LocalAddr().String())
			return host, err
		}
	}
	return "", fault.New(fault.Refused, "there is no route to the member at %s (%v)", advertised, err).WithHint("say this host's address in the inventory: etcd_ip=ADDRESS")
}

// harmless refuses paths that are not etcd's own. The sibling's etcd.conf is a file of its user etcd, who is not trusted: by it, root would give any
// directory of this host to user etcd, or move any file away.
func (p placing) harmless(h *host.Host) error {
	for _, path := range p.pairs {
		if filepath.Dir(path) != filepath.Dir(h.EtcdConf) {
			return fault.New(fault.Unsupported, "the sibling's etcd.conf names %s, which is not in %s", path, filepath.Dir(h.EtcdConf)).WithHint(byInstaller)
		}
	}
	var st unix.Stat_t
	err := unix.Lstat(p.dataDir, &st)
	byDefault, isDir := p.dataDir == root.Path(host.DefaultDataDir), err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR
	switch {
	case errors.Is(err, fs.ErrNotExist) && byDefault:
		return nil
	case isDir && (byDefault || int(st.Uid) == p.uid): // a package that was here before, or a pod, leaves the default one to another user
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fault.Wrap(fault.Internal, err, "%s", p.dataDir)
	}
	return fault.New(fault.Refused, "the data directory of the sibling's etcd.conf, %s, is no directory of etcd's user here", p.dataDir).
		WithHint("if etcd's data is meant to be there: install -d -o %d -g %d -m 0700 %s; then run the same command again", p.uid, p.gid, p.dataDir)
}

func (p placing) apply(ctx context.Context, call *ansible.Call, a args, h *host.Host) (ansible.Result, error) {
	data := result{New: true, Runtime: p.runtime, Names: p.names, PeerURLs: p.peerURLs, Files: []string{}, SetAside: []string{}, Lacks: p.pairs}
	for _, f := range p.files {
		data.Files = append(data.Files, f.path)
	}
	if p.manifest != nil {
		data.Files = append(data.Files, p.manifest.path)
	}
	before := ""
	if h.Conf.File != nil {
		before = "the package's etcd.conf\n"
	}
	out := ansible.Result{Changed: true, Data: data, Diff: []ansible.Diff{{Before: before, After: p.lines(), BeforeHeader: h.EtcdConf, AfterHeader: h.EtcdConf}}}
	if call.CheckMode {
		out.Msg = "this host would get an etcd.conf as a member's, and the CA's certificate"
		return out, nil
	}
	for _, dir := range []string{filepath.Dir(h.EtcdConf), p.dataDir} {
		if err := own(call, dir, p.uid, p.gid); err != nil {
			return ansible.Result{Data: data}, fault.Wrap(fault.Internal, err, "%s", dir)
		}
	}
	for _, path := range p.pairs {
		aside, err := away(call, path)
		if aside != "" {
			data.SetAside = append(data.SetAside, aside)
		}
		if err != nil {
			return ansible.Result{Data: data}, fault.Wrap(fault.Internal, err, "%s", path)
		}
	}
	if p.manifest != nil {
		aside, err := p.tryPod(ctx, call, a)
		if aside != "" {
			data.SetAside = append(data.SetAside, aside)
		}
		if err != nil {
			return ansible.Result{Data: data}, err
		}
	}
	for _, f := range p.files {
		aside, err := f.write(call, p.uid, p.gid)
		if aside != "" {
			data.SetAside = append(data.SetAside, aside)
		}
		if err != nil {
			return ansible.Result{Data: data}, fault.Wrap(fault.Internal, err, "%s", f.path).WithHint("run the task again; it continues from here")
		}
	}
	out.Data, out.Msg = data, "this host has an etcd.conf as a member's, and the CA's certificate; it is no member yet"
	return out, nil
}

// lines are those that differ from the sibling's.
func (p placing) lines() string {
	var out strings.Builder
	for _, key := range append([]string{"ETCD_NAME", "ETCD_INITIAL_CLUSTER", "ETCD_INITIAL_CLUSTER_STATE"}, append(peerKeys, clientKeys...)...) {
		out.WriteString(p.conf.Text(key))
	}
	return out.String()
}

// own makes a directory if it is missing, and gives it to etcd alone, as the installer does. A new one gets its parent's label.
func own(call *ansible.Call, path string, uid, gid int) error {
	d, err := safefile.OpenDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		if d, err = made(path); err == nil {
			call.MarkChanged()
		}
	}
	if err != nil {
		return err
	}
	defer d.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(d.File().Fd()), &st); err != nil {
		return err
	}
	if int(st.Uid) == uid && int(st.Gid) == gid && st.Mode&0o777 == 0o700 {
		return nil
	}
	call.MarkChanged()
	return d.Give(uid, gid, 0o700)
}

func made(path string) (*safefile.Dir, error) {
	parent, err := safefile.OpenDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	d, err := parent.Mkdir(filepath.Base(path))
	if err != nil {
		return nil, err
	}
	return d, d.Label(parent)
}

// away moves a certificate or key of an earlier life aside: it is of another name or CA.
func away(call *ansible.Call, path string) (string, error) {
	if !readfile.Exists(path) {
		return "", nil
	}
	kept, already, err := edit.NameAside(path, ".before-new-host")
	if err != nil {
		return "", err
	}
	call.MarkChanged()
	if already {
		return kept, safefile.Remove(path)
	}
	return kept, safefile.Rename(path, kept)
}

// write keeps what was there under another name. A new file gets its directory's label.
func (f place) write(call *ansible.Call, uid, gid int) (aside string, err error) {
	dir, err := safefile.OpenDir(filepath.Dir(f.path))
	if err != nil {
		return "", err
	}
	defer dir.Close()
	label := dir.File()
	old, err := edit.Read(f.path)
	switch {
	case err == nil && bytes.Equal(old, f.content):
		return "", nil
	case err == nil:
		kept, already, err := edit.NameAside(f.path, ".before-new-host")
		if err != nil {
			return "", err
		}
		if !already {
			if err := safefile.BackupAs(f.path, kept); err != nil {
				return "", err
			}
			call.MarkChanged()
		}
		aside = kept
		like, err := safefile.Open(f.path)
		if err != nil {
			return aside, err
		}
		defer like.Close()
		label = like
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	t, err := dir.Temp()
	if err != nil {
		return aside, err
	}
	defer t.Discard()
	if _, err := t.Write(f.content); err != nil {
		return aside, err
	}
	if err := errors.Join(safefile.Give(t.File, uid, gid, f.mode), safefile.CopyLabel(label, t.File)); err != nil {
		return aside, err
	}
	call.MarkChanged()
	return aside, t.Replace(filepath.Base(f.path))
}
