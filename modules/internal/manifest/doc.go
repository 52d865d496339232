// Package manifest reads and edits the manifest of the static pod that runs etcd, as text.
//
// yaml.v3 only tells where things are. Every edit adds or removes whole lines, so that an edit that is undone leaves the installer's bytes. After
// each edit the text is read again and compared with what was asked for: a manifest in an unexpected form is refused, with the line, and never
// half edited.
//
// The installer of OpenShift 3.11 writes two layouts: its template's order, with the arguments as a block of text; and keys sorted, with the
// arguments in one quoted scalar (after an upgrade by Ansible's own writer). Both are in testdata.
package manifest
