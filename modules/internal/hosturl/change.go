package hosturl

import (
	"encoding/json"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
)

// Change is what the caller asks for: an exact list, or hosts to add and to remove.
type Change struct {
	Add, Remove []Host
	Exact       []string // nil: Add and Remove count
}

// Outcome is a list after a change. Unmatched names the hosts of Remove whose URL is not listed.
type Outcome struct {
	After     []string
	Unmatched []string
}

// ParseChange reads the arguments add, remove and urls. A nil list of URLs means that none was given.
func ParseChange(add, remove []json.RawMessage, urls []string) (Change, error) {
	join, err := ParseHosts("add", add)
	if err != nil {
		return Change{}, err
	}
	leave, err := ParseHosts("remove", remove)
	if err != nil {
		return Change{}, err
	}
	for _, each := range urls {
		if err := CheckURL(each); err != nil {
			return Change{}, fault.Wrap(fault.Invalid, err, "argument urls")
		}
	}
	return Change{Add: join, Remove: leave, Exact: urls}, nil
}

// Apply is the list after the change. It never returns an empty one: a client without any URL does not start.
func (c Change) Apply(listed []string) (Outcome, error) {
	if c.Exact != nil {
		return exact(c.Exact)
	}
	if err := c.contradiction(); err != nil {
		return Outcome{}, err
	}
	out := Outcome{After: slices.Clone(listed), Unmatched: []string{}}
	for _, h := range c.Remove {
		if !slices.ContainsFunc(listed, h.Matches) {
			out.Unmatched = append(out.Unmatched, h.Name)
		}
		out.After = slices.DeleteFunc(out.After, h.Matches)
	}
	for _, h := range c.Add {
		if slices.ContainsFunc(out.After, h.Matches) {
			continue
		}
		added, err := urlLike(listed, h)
		if err != nil {
			return Outcome{}, err
		}
		out.After = append(out.After, added)
	}
	if len(out.After) == 0 {
		return Outcome{}, fault.New(fault.Refused, "removing %s would leave no URL at all (now %s); nothing was changed", namesOf(c.Remove), strings.Join(listed, ", ")).
			WithHint("leave at least one host that runs etcd in the list, or add one in the same call")
	}
	return out, nil
}

func exact(urls []string) (Outcome, error) {
	if len(urls) == 0 {
		return Outcome{}, fault.New(fault.Refused, "an empty list of URLs was asked for; nothing was changed").WithHint("give at least one URL of a host that runs etcd")
	}
	for i, each := range urls {
		if err := CheckURL(each); err != nil {
			return Outcome{}, err
		}
		if facts.HasURL(urls[:i], each) {
			return Outcome{}, fault.New(fault.Invalid, "%s is given twice", each)
		}
	}
	return Outcome{After: slices.Clone(urls), Unmatched: []string{}}, nil
}

// contradiction refuses a host that is to be added and removed.
func (c Change) contradiction() error {
	for _, a := range c.Add {
		if slices.ContainsFunc(c.Remove, a.sameHost) {
			return fault.New(fault.Invalid, "%s is to be added and to be removed", a.Name)
		}
	}
	return nil
}

// CheckURL refuses what no etcd client can use.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
	case strings.ContainsAny(text, " \t\r\n,\"'\\"):
	case u.Path != "" && u.Path != "/", !isPort(u.Port()):
	default:
		return nil
	}
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		text = "…" + text[at:] // what comes before it is a password
	}
	return fault.New(fault.Invalid, "%q is no URL of an etcd: expected the form https://HOST:PORT", text)
}

// isPort is true where no port is given, or one that a host can have.
func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && n > 0
}

// urlLike writes the URL of a new host in the form of the listed ones: scheme, port, host name or IP.
func urlLike(listed []string, h Host) (string, error) {
	if strings.Contains(h.Name, "://") {
		return h.Name, CheckURL(h.Name)
	}
	models := parseAll(listed)
	if len(models) == 0 {
		return "", fault.New(fault.Refused, "there is no URL to write that of %s after", h.Name).WithHint("add it as a whole URL: https://HOST:2379")
	}
	model := models[0]
	host, err := hostLike(models, h)
	if err != nil {
		return "", err
	}
	_, port := split(h.Name)
	if port == "" {
		port = model.Port()
	}
	out := url.URL{Scheme: model.Scheme, Host: host, Path: model.Path}
	if port != "" {
		out.Host = net.JoinHostPort(host, port)
	} else if strings.Contains(host, ":") {
		out.Host = "[" + host + "]"
	}
	return out.String(), CheckURL(out.String())
}

func parseAll(listed []string) []*url.URL {
	var out []*url.URL
	for _, each := range listed {
		if u, err := url.Parse(each); err == nil && u.Hostname() != "" {
			out = append(out, u)
		}
	}
	return out
}

// hostLike picks the name by which to list a host: an address where addresses are listed; else the name that shares its domain with a listed one,
// since the certificate of etcd is issued for that; else the first that is no address.
func hostLike(models []*url.URL, h Host) (string, error) {
	byAddress := isIP(models[0].Hostname())
	var fitting []string
	for _, name := range h.names() {
		if isIP(name) == byAddress {
			fitting = append(fitting, name)
		}
	}
	kind := map[bool]string{true: "an IP address", false: "a host name"}[byAddress]
	if len(fitting) == 0 {
		return "", fault.New(fault.Refused, "%s cannot be added: the listed URLs have %s (%s), and none of its names (%s) is one; nothing was changed",
			h.Name, kind, models[0], strings.Join(h.names(), ", ")).WithHint("put %s of %s among its aliases, or add it as a whole URL", kind, h.Name)
	}
	for _, name := range fitting {
		if slices.ContainsFunc(models, func(u *url.URL) bool { return sameKind(name, canonical(u.Hostname())) }) {
			return name, nil
		}
	}
	return fitting[0], nil
}

// sameKind is true for two addresses of one family, and for two names in one domain.
func sameKind(a, b string) bool {
	if isIP(a) && isIP(b) {
		return strings.Contains(a, ":") == strings.Contains(b, ":")
	}
	_, x, _ := strings.Cut(a, ".")
	_, y, _ := strings.Cut(b, ".")
	return x == y
}

func namesOf(hosts []Host) string {
	var out []string
	for _, h := range hosts {
		out = append(out, h.Name)
	}
	return strings.Join(out, ", ")
}
