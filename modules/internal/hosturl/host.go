package hosturl

import (
	"encoding/json"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"etcd-quorum-restore/modules/internal/fault"
)

// Host is a host and its other names. Name may be a URL or host:port; then only URLs with that port match.
type Host struct {
	Name    string   `json:"name"`
	Aliases []string `json:"aliases"`
}

// ParseHosts reads the elements of an argument: names, URLs, or {name, aliases}. Empty aliases are skipped, so that a playbook can pass on
// variables that some hosts do not have. So are localhost and its addresses, which an inventory may give as ansible_host: they mean another
// machine in each file.
func ParseHosts(argument string, raw []json.RawMessage) ([]Host, error) {
	var hosts []Host
	for _, each := range raw {
		h, err := parseHost(each)
		if err != nil {
			return nil, fault.New(fault.Invalid, "argument %s: expected a host's name, its URL, or {name: …, aliases: […]}, found %s (%v)", argument, each, err)
		}
		hosts = append(hosts, h)
	}
	return hosts, nil
}

func parseHost(raw json.RawMessage) (Host, error) {
	var name string
	if err := json.Unmarshal(raw, &name); err == nil {
		h := Host{Name: strings.TrimSpace(name)}
		return h, h.check()
	}
	var loose struct {
		Name    string    `json:"name"`
		Aliases []*string `json:"aliases"`
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	if err := d.Decode(&loose); err != nil {
		return Host{}, err
	}
	h := Host{Name: strings.TrimSpace(loose.Name)}
	for _, alias := range loose.Aliases {
		if alias != nil && strings.TrimSpace(*alias) != "" && !isLoopback(*alias) {
			h.Aliases = append(h.Aliases, strings.TrimSpace(*alias))
		}
	}
	return h, h.check()
}

var hostForm = regexp.MustCompile(`^[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?$`)

func (h Host) check() error {
	for _, name := range append([]string{h.Name}, h.Aliases...) {
		host, port := split(name)
		if !isPort(port) || !isIP(host) && !hostForm.MatchString(host) {
			return fault.New(fault.Invalid, "%q is no host", name)
		}
	}
	return nil
}

// Matches tells whether a listed URL is one of this host's.
func (h Host) Matches(listed string) bool {
	host, port := split(listed)
	if host == "" {
		return false
	}
	if name, wanted := split(h.Name); name == host && (wanted == "" || wanted == port) {
		return true
	}
	for _, alias := range h.Aliases {
		if name, _ := split(alias); name == host {
			return true
		}
	}
	return false
}

// sameHost is true where two hosts have a name in common.
func (h Host) sameHost(other Host) bool {
	for _, a := range append([]string{h.Name}, h.Aliases...) {
		for _, b := range append([]string{other.Name}, other.Aliases...) {
			x, _ := split(a)
			y, _ := split(b)
			if x == y {
				return true
			}
		}
	}
	return false
}

// names are the host parts of all of a host's names, in the order given.
func (h Host) names() []string {
	var out []string
	for _, each := range append([]string{h.Name}, h.Aliases...) {
		if name, _ := split(each); name != "" {
			out = append(out, name)
		}
	}
	return out
}

// split gives host and port of a URL, of host:port, or of a bare host, in one form for comparison: lower case, no trailing dot, IP addresses as
// netip writes them.
func split(text string) (host, port string) {
	if strings.Contains(text, "://") {
		u, err := url.Parse(text)
		if err != nil {
			return "", ""
		}
		return canonical(u.Hostname()), u.Port()
	}
	if h, p, err := net.SplitHostPort(text); err == nil {
		return canonical(h), p
	}
	return canonical(strings.Trim(text, "[]")), ""
}

func canonical(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String()
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

func isLoopback(name string) bool {
	host, _ := split(strings.TrimSpace(name))
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasPrefix(host, "localhost.") || (err == nil && ip.IsLoopback())
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
