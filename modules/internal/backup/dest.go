package backup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/safefile"
)

const nobody = 65534 // root of a client, where an NFS server squashes it

// Destination refuses a directory for backups that another user can write to: that user could exchange a backup while it is made or before it is
// used, and a backup holds every secret of the cluster. Of a directory that does not exist yet, the part that exists is checked.
func Destination(dest string) error {
	if !filepath.IsAbs(dest) {
		return fault.New(fault.Invalid, "dest is %q; expected an absolute path such as /backup", dest)
	}
	d, err := safefile.OpenDir(existing(dest))
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "dest %s", dest)
	}
	defer d.Close()
	if squashed(d) {
		return nil
	}
	if err := d.Private(); err != nil {
		if filepath.Clean(dest) != d.Path && d.Doubt == "" {
			return nil // a new directory of root's in /tmp, where the sticky bit keeps it
		}
		return fault.Wrap(fault.Refused, err, "dest %s is not root's alone, and whoever else can write there can exchange a backup", dest).
			WithHint("make a directory that only root can write to: install -d -o root -g root -m 0700 /backup; then dest=/backup, or chown and chmod this one")
	}
	return nil
}

// Trusted refuses a backup that another user can exchange between its check and its use: a directory, or a snapshot's file.
func Trusted(path string) error {
	dir := path
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		dir = filepath.Dir(path)
	}
	d, err := safefile.OpenDir(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if squashed(d) || d.OutOfReach() {
		return nil
	}
	if dir == path {
		err = d.Private()
	} else {
		err = rootsFile(d, filepath.Base(path))
	}
	if err != nil {
		return fault.Wrap(fault.Refused, err, "the backup %s is not root's alone, and could be exchanged after it was checked", path).
			WithHint("take a copy that only root can write to: install -d -m 0700 /root/backup && cp -rp %s /root/backup/ && chown -R root: /root/backup; then use that one", path)
	}
	return nil
}

// rootsFile refuses a file that another user can write to: in a directory like /tmp nobody else can exchange a file of root's.
func rootsFile(d *safefile.Dir, name string) error {
	st, err := d.Lstat(name)
	switch {
	case err != nil:
		return err
	case d.Doubt != "":
		return fault.New(fault.Refused, "%s", d.Doubt)
	case st.Uid != 0 && int(st.Uid) != os.Geteuid() || st.Mode&0o022 != 0:
		return fault.New(fault.Refused, "%s is another user's, or others can write to it", filepath.Join(d.Path, name))
	}
	return nil
}

// squashed is true on a share where what root makes belongs to nobody, so that no directory can be root's.
func squashed(d *safefile.Dir) bool {
	owner, _, err := d.Owner()
	return err == nil && owner == nobody && d.OnNFS() && d.OwnersAlone()
}

// makeDest makes dest, for root alone.
func makeDest(dest string) error {
	if _, err := os.Stat(dest); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := makeDest(filepath.Dir(dest)); err != nil {
		return err
	}
	up, err := safefile.OpenDir(filepath.Dir(dest))
	if err != nil {
		return err
	}
	defer up.Close()
	made, err := up.Mkdir(filepath.Base(dest))
	if errors.Is(err, fs.ErrExist) {
		return nil // another host's run, on a shared mount
	}
	if err != nil {
		return err
	}
	return errors.Join(up.Sync(), made.Close())
}
