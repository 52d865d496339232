// Package etcd speaks to a running etcd: v3 by etcd's own client, v2 and the peer port by HTTP.
//
// A Client is bound to ONE endpoint: without quorum members answer differently, and a balancer would hide which one answered. Dial takes the
// first endpoint that answers, DialQuorum the first that proves a quorum by a linearizable read.
//
// This package is built on three facts about members without quorum (tried on etcd 3.2.32):
//   - a member that has run since before the loss serves Status, MemberList, serializable reads, Snapshot and GET /v2/members; all
//     other calls block for ever, so every call here has a deadline, also when its context has none;
//   - a member that was restarted without quorum lets the kernel accept connections and answers nothing, so every connection
//     begins with a short GET /version that tells "refused", "no route", "bad certificate" and "hangs" apart;
//   - its peer port does answer: /members and /version there need no quorum.
//
// Certificates are always verified. Keys and values never appear in errors.
package etcd
