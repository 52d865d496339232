// Package ansible is Ansible's side of every module: it reads the arguments file, checks the arguments against the module's own
// documentation, runs the module, and prints one JSON object on stdout.
//
// A module's main.go is:
//
//	//go:embed etcd_example.yml
//	var documentation []byte
//
//	type args struct {
//		Path string `json:"path"`
//	}
//
//	func main() { ansible.Main(documentation, ansible.Rules{}, run) }
//
//	func run(ctx context.Context, call *ansible.Call, a args) (ansible.Result, error) { ... }
//
// The documentation file drives the parsing: types, defaults, required, choices and aliases. Paths are absolute, and `timeout`, where a
// module has it, is the deadline of ctx. What Ansible's schema cannot say (mutually exclusive arguments, ranges) stands in Rules.
// Contract of binary modules: Ansible's developer guide, "Binary modules".
package ansible
