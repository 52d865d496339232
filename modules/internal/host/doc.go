// Package host is etcd on this host: how it is found, stopped, started, proven to be gone or there, and kept from running.
//
// Load reads etcd.conf and finds the runtime (a systemd unit, a static pod, all-in-one). What the runtimes do differently is behind the interface
// Runtime; what is common (find the process, wait until process, ports and locks are gone, write the fence's record) is here. An effect is always
// proven by processes, ports and files; the answer of a command proves nothing.
package host
