// Package hosturl finds the URLs of a host in a list, and writes new ones like those that are there.
//
// One host has many names: master-config.yaml and flanneld list it by host name, etcd.conf by IP, the inventory by whatever the operator
// likes. So a host comes with its aliases, and matches a URL when any of them equals the URL's host part. Nothing is guessed: `master-0`
// does not match `master-0.example.com` unless one of the aliases says so, since removing a living member's URL is worse than saying
// that nothing matched.
package hosturl
