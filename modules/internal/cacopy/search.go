package cacopy

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/safefile"
)

// Limits of a search: a directory of backups may hold anything.
const (
	deepest   = 6
	mostNames = 20_000
	mostBytes = 256 << 20 // of archives, unpacked
	mostKept  = 32 << 20  // of one archive's or directory's small files
)

type search struct {
	ctx     context.Context
	trusted []*x509.Certificate
	found   []Copy
	missed  []string
	names   int
	bytes   int64
}

var archive = regexp.MustCompile(`\.(tgz|tar\.gz|tar)$`)

func (s *search) below(dir string) {
	d, err := safefile.OpenDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		s.missed = append(s.missed, dir)
		return
	}
	defer d.Close()
	s.in(d, 1)
}

// in follows no link.
func (s *search) in(d *safefile.Dir, depth int) {
	entries, err := d.List()
	if err != nil || s.names < len(entries) || depth > deepest {
		s.missed = append(s.missed, d.Path)
		return
	}
	s.names -= len(entries)
	for _, e := range entries {
		if s.ctx.Err() != nil {
			return
		}
		switch {
		case e.IsDir() && strings.HasSuffix(e.Name(), ".renewal"): // a new CA that must not sign yet
		case e.IsDir() && e.Name() != "member": // etcd's data
			s.inside(d, e.Name(), depth)
		case !e.Type().IsRegular():
		case e.Name() == "ca.key":
			s.directory(d)
		case archive.MatchString(e.Name()):
			s.archive(d, e.Name())
		}
	}
}

func (s *search) inside(d *safefile.Dir, name string, depth int) {
	sub, err := d.OpenDir(name)
	if err != nil {
		s.missed = append(s.missed, filepath.Join(d.Path, name))
		return
	}
	defer sub.Close()
	s.in(sub, depth+1)
}

func (s *search) directory(d *safefile.Dir) {
	files, err := read(d)
	if err != nil {
		s.missed = append(s.missed, d.Path)
		return
	}
	if c, ok := judge(d.Path, files, s.trusted); ok {
		s.found = append(s.found, c)
	}
}

// read is a CA's directory, with its directories such as certs.
func read(d *safefile.Dir) (tree, error) {
	files, size := tree{}, 0
	err := files.add(d, "", &size)
	return files, err
}

func (t tree) add(d *safefile.Dir, prefix string, size *int) error {
	entries, err := d.List()
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch {
		case safefile.IsTemp(e.Name()):
		case e.Type().IsRegular():
			content, err := contentOf(d, e.Name())
			if err != nil {
				return err
			}
			if *size += len(content); *size > mostKept {
				return readfile.ErrTooLong
			}
			t[prefix+e.Name()] = content
		case e.IsDir() && prefix == "":
			sub, err := d.OpenDir(e.Name())
			if err != nil {
				return err
			}
			err = t.add(sub, e.Name()+"/", size)
			if err = errors.Join(err, sub.Close()); err != nil {
				return err
			}
		}
	}
	return nil
}

func contentOf(d *safefile.Dir, name string) ([]byte, error) {
	f, err := d.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, readfile.Long+1))
	if err == nil && len(content) > readfile.Long {
		err = readfile.ErrTooLong
	}
	return content, err
}

func (s *search) archive(d *safefile.Dir, name string) {
	at := filepath.Join(d.Path, name)
	f, err := d.Open(name)
	if err == nil {
		defer f.Close()
		err = small(f)
	}
	if err == nil {
		err = s.unpack(at, f, true)
	}
	if err != nil {
		s.missed = append(s.missed, at)
	}
}

// unpack looks into an archive, and into one in it: the installer puts etcd_ca.tgz into the archive of generated_certs.
func (s *search) unpack(at string, from io.Reader, outer bool) error {
	if !strings.HasSuffix(at, ".tar") {
		unzipped, err := gzip.NewReader(from)
		if err != nil {
			return err
		}
		from = unzipped
	}
	limited := &io.LimitedReader{R: from, N: s.bytes}
	files, err := smallFiles(tar.NewReader(limited))
	if s.bytes = limited.N; err != nil {
		return err
	}
	for name, content := range files {
		switch {
		case path.Base(name) == "ca.key":
			if c, ok := judge(at, files.under(strings.TrimSuffix(name, "ca.key")), s.trusted); ok {
				s.found = append(s.found, c)
			}
		case outer && path.Base(name) == "etcd_ca.tgz":
			if err := s.unpack(at, bytes.NewReader(content), false); err != nil {
				return err
			}
		}
	}
	return nil
}

// small refuses an archive that holds data: one of a CA has some kilobytes.
func small(f *os.File) error {
	info, err := f.Stat()
	if err == nil && info.Size() > readfile.Long {
		return readfile.ErrTooLong
	}
	return err
}

// smallFiles are the small files of an archive.
func smallFiles(r *tar.Reader) (tree, error) {
	files, size := tree{}, int64(0)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if h.Typeflag != tar.TypeReg || h.Size > readfile.Text {
			continue
		}
		if size += h.Size; size > mostKept {
			return nil, readfile.ErrTooLong
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		files[path.Clean(strings.TrimLeft(h.Name, "/"))] = content
	}
}

// Settings are the files of a CA's directory that say how openssl issues there: openssl.cnf, and what openshift-ansible makes it from.
func Settings(at string) (map[string][]byte, error) {
	d, err := safefile.OpenDir(at)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer d.Close()
	files, err := read(d)
	for name := range files {
		if name != "openssl.cnf" && !strings.HasPrefix(name, "fragments/") {
			delete(files, name)
		}
	}
	return files, err
}
