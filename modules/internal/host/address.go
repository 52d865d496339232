package host

import (
	"net"
	"net/url"
	"slices"

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
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	for _, raw := range append(slices.Clone(h.Config.ListenPeerURLs), h.Config.ListenClientURLs...) {
		u, err := url.Parse(raw)
		if err != nil {
			continue
		}
		ip := net.ParseIP(u.Hostname())
		if ip != nil && !ip.IsUnspecified() && !ip.IsLoopback() && !isAmong(addresses, ip) {
			return ip.String()
		}
	}
	return ""
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
