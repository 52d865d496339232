// Package inventory changes which hosts are in a group of an Ansible inventory, in the inventory's own files, and nothing else.
//
// Files are never reformatted: an edit replaces, adds or comments out single lines, and every other byte stays (comments, order, CRLF, trailing
// blanks). The two formats are packages of their own, ini and yamldoc; package source is what they share. After each edit the result is read
// again and compared with what was asked for (verify.go): if anything else differs, the edit is refused and no file is touched.
//
// The words used here:
//
//   - a source is one file of the inventory, a Set all of them in Ansible's order;
//   - an entry is the text that puts a host into a group: a line in INI, one or more lines in YAML;
//   - a mark is the comment that an entry becomes when its host leaves: `# out of [etcd] since 2026-11-23: <entry>`;
//   - a staging group is one that openshift-ansible reads new hosts from; its name starts with "new_".
//
// testdata/corpus holds inventories as sites write them. Each test case takes a host out and back; in judge_test.go Ansible itself judges every
// step (`go test -tags judge`), and benchjudge_test.go compares the time of an edit with Ansible's time to read the file.
//
// Plan is pure; Apply (apply.go) locks, plans, compares and writes.
package inventory
