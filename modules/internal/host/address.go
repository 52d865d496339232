package host

import (
	"net"
	"net/url"
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
)

// HasAddress is true for an address of this host, and for loopback.
func HasAddress(ip net.IP) bool {
	addresses, err := net.InterfaceAddrs()
	return ip.IsLoopback() || err == nil && isAmong(addresses, ip)
}

func isAmong(addresses []net.Addr, ip net.IP) bool {
	return slices.ContainsFunc(addresses, func(a net.Addr) bool {
		n, ok := a.(*net.IPNet)
		return ok && n.IP.Equal(ip)
	})
}

// MissingAddress is an address on which etcd is to listen and which this host does not have; "" where there is none, or the host's addresses are not
// known.
func (h *Host) MissingAddress() string {
	return notHere(append(slices.Clone(h.Config.ListenPeerURLs), h.Config.ListenClientURLs...))
}

// MovedFrom is an address of this member's peer URLs in the member list that this host no longer has, while it has those of etcd.conf: "" where the
// list is right, or etcd.conf is no better. No other member reaches it there, and who joins asks there first.
func (h *Host) MovedFrom(listed []string) string {
	if len(h.Config.PeerURLs) == 0 || facts.ShareURL(h.Config.PeerURLs, listed) || !h.hasPeerURLs() {
		return ""
	}
	return notHere(listed)
}

// hasPeerURLs is false for names, which somebody else resolves.
func (h *Host) hasPeerURLs() bool {
	return !slices.ContainsFunc(h.Config.PeerURLs, func(raw string) bool {
		ip := addressIn(raw)
		return ip == nil || ip.IsUnspecified() || ip.IsLoopback() || !HasAddress(ip)
	})
}

// notHere is the first address in urls that this host does not have.
func notHere(urls []string) string {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	for _, raw := range urls {
		ip := addressIn(raw)
		if ip != nil && !ip.IsUnspecified() && !ip.IsLoopback() && !isAmong(addresses, ip) {
			return ip.String()
		}
	}
	return ""
}

// addressIn is nil for a URL with a name.
func addressIn(raw string) net.IP {
	u, err := url.Parse(raw)
	if err != nil {
		return nil
	}
	return net.ParseIP(u.Hostname())
}

// OwnAddress reads the argument address: one by which other members reach this host.
func OwnAddress(text string) (net.IP, error) {
	ip := net.ParseIP(text)
	if ip == nil || ip.IsUnspecified() || ip.IsLoopback() {
		return nil, fault.New(fault.Invalid, "argument address: expected an address of this host, found %.100q", text)
	}
	if !HasAddress(ip) {
		return nil, fault.New(fault.Refused, "this host does not have the address %s", ip).WithHint("correct etcd_ip of this host in the inventory (ip addr shows what it has)")
	}
	return ip, nil
}
