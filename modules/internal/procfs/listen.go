package procfs

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Listener is a listening TCP socket of this network namespace. The inode identifies the socket for as long as it lives.
type Listener struct {
	Addr  netip.AddrPort
	Inode uint64
	UID   uint32 // of the user who made it
}

// Listeners lists all listening TCP sockets.
func Listeners() ([]Listener, error) {
	var out []Listener
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a kernel without IPv6
		}
		if err != nil {
			return nil, err
		}
		found, err := parseListeners(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, found...)
	}
	return out, nil
}

const stateListen = "0A" // [linux include/net/tcp_states.h]

// parseListeners reads a table of /proc/net/tcp: column 2 is the local address, 4 the state, 8 the user, 10 the inode.
func parseListeners(table string) ([]Listener, error) {
	var out []Listener
	for i, line := range strings.Split(strings.TrimSpace(table), "\n") {
		f := strings.Fields(line)
		if i == 0 || len(f) < 10 || f[3] != stateListen {
			continue
		}
		addr, err := parseAddress(f[1])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		inode, err := strconv.ParseUint(f[9], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("line %d: inode %q", i+1, f[9])
		}
		uid, err := strconv.ParseUint(f[7], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("line %d: user %q", i+1, f[7])
		}
		out = append(out, Listener{Addr: addr, Inode: inode, UID: uint32(uid)})
	}
	return out, nil
}

// parseAddress reads HEXADDRESS:HEXPORT. The kernel prints each 32-bit word of an address in the machine's byte order, and all
// machines that these modules are built for are little endian.
func parseAddress(text string) (netip.AddrPort, error) {
	host, port, ok := strings.Cut(text, ":")
	raw, err := hex.DecodeString(host)
	if !ok || err != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, fmt.Errorf("address %q", text)
	}
	for word := range slices.Chunk(raw, 4) {
		slices.Reverse(word)
	}
	addr, ok := netip.AddrFromSlice(raw)
	n, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil {
		return netip.AddrPort{}, fmt.Errorf("address %q", text)
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(n)), nil
}

// Covers tells whether the listener takes connections to addr; an unspecified addr (a URL with a host name) means any address.
func (l Listener) Covers(addr netip.AddrPort) bool {
	if l.Addr.Port() != addr.Port() {
		return false
	}
	mine, theirs := l.Addr.Addr(), addr.Addr()
	return mine.IsUnspecified() || !theirs.IsValid() || theirs.IsUnspecified() || mine == theirs.Unmap()
}

// Owners are the PIDs of the processes that hold the socket with this inode. Processes that may not be read are left out.
func Owners(inode uint64) []int {
	want := fmt.Sprintf("socket:[%d]", inode)
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*") // the pattern is constant and valid
	var out []int
	for _, link := range links {
		if target, err := os.Readlink(link); err != nil || target != want {
			continue
		}
		if pid, err := strconv.Atoi(strings.Split(link, "/")[2]); err == nil && !slices.Contains(out, pid) {
			out = append(out, pid)
		}
	}
	return out
}
