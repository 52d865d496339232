package main

import (
	"regexp"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/envfile"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/hosturl"
	"etcd-quorum-restore/modules/internal/login"
)

const (
	newKey = "FLANNEL_ETCD_ENDPOINTS"
	oldKey = "FLANNEL_ETCD" // of flannel before 0.7, and of openshift-ansible before 3.3
)

// lists is where the file has URLs of etcd.
type lists struct {
	file     *envfile.File
	keys     []string // whose lists name other hosts; all have the same URLs
	urls     []string
	loopback bool     // a key lists this host alone
	options  []string // -etcd-endpoints in FLANNEL_OPTIONS
	instead  string   // what stands in the place of a list
}

var option = regexp.MustCompile(`(?:^|\s)--?etcd-endpoints[= ]["']?([^\s"']+)`)

func readLists(file *envfile.File) (lists, error) {
	out := lists{file: file, instead: "no such key"}
	for _, key := range []string{newKey, oldKey} {
		value, there := file.Get(key)
		if strings.TrimSpace(value) == "" {
			if there {
				out.instead = "an empty value"
			}
			continue
		}
		urls, err := parse(value)
		switch {
		case err != nil:
			return out, fault.Wrap(fault.Invalid, err, "line %d: %s", file.Line(key), key)
		case hosturl.OnlyLoopback(urls):
			out.loopback = true
		case len(out.keys) > 0 && !slices.Equal(urls, out.urls):
			return out, fault.New(fault.Invalid, "%s and %s list different URLs", newKey, oldKey).
				WithHint("`systemctl cat flanneld` shows which of the two counts; take the other one out by hand")
		default:
			out.keys, out.urls = append(out.keys, key), urls
		}
	}
	options, _ := file.Get("FLANNEL_OPTIONS")
	if m := option.FindAllStringSubmatch(options, -1); len(m) > 0 {
		out.options = strings.Split(m[len(m)-1][1], ",")
	}
	return out, nil
}

func parse(value string) ([]string, error) {
	if strings.Contains(value, "#") {
		return nil, fault.New(fault.Invalid, "a comment stands behind the value, and systemd takes it for a part of the last URL").
			WithHint("put the comment on a line of its own, by hand")
	}
	var out []string
	for _, each := range login.Split(value) {
		each = strings.TrimSpace(each)
		if err := hosturl.CheckURL(each); err != nil {
			return nil, err
		}
		out = append(out, each)
	}
	return out, nil
}

func (l lists) Values() []string { return slices.Clone(l.urls) }

func (l lists) Set(want []string) error {
	if slices.Equal(l.urls, want) {
		return nil
	}
	for _, key := range l.keys {
		if err := l.file.Set(key, strings.Join(want, ",")); err != nil {
			return err
		}
	}
	return nil
}

func (l lists) Text() string {
	text := ""
	for _, key := range l.keys {
		text += l.file.Text(key)
	}
	return text
}

func (l lists) Bytes() []byte { return l.file.Bytes() }
