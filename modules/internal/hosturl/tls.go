package hosturl

import (
	"net/url"
	"slices"
)

// TLSHosts gives the host parts of https URLs, without those that no certificate names (0.0.0.0, ::).
func TLSHosts(urls []string) []string {
	var hosts []string
	for _, raw := range urls {
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "https" {
			continue
		}
		if host := u.Hostname(); host != "" && host != "0.0.0.0" && host != "::" && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}
