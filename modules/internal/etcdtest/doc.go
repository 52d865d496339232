// Package etcdtest runs real etcd 3.2.32 members on loopback addresses, with certificates as the 3.11 installer issues them, for tests where a
// stand-in proves nothing. The binaries are those of the test hosts: `make hosts` builds them.
package etcdtest
