// Package hosturl finds the URLs of a host in a list, and writes new ones in the same form.
//
// One host has many names: master-config.yaml and flanneld list it by host name, etcd.conf by IP, the inventory by any name. So a host comes with
// its aliases, and matches a URL when any of them equals the URL's host part. Nothing is guessed: `master-0` does not match
// `master-0.example.com` unless one of the aliases says so, since to remove a living member's URL is worse than to report that nothing matched.
package hosturl
