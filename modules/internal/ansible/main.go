package ansible

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"etcd-quorum-restore/modules/internal/fault"
)

// Version is set by the linker (-X); "dev" otherwise.
var Version = "dev"

// Call is what Ansible says about this run, beside the arguments.
type Call struct {
	CheckMode bool
	Diff      bool
	RemoteTmp string // `_ansible_remote_tmp`, or ""
	changed   bool
	warnings  []string
}

// MarkChanged records that something on the host has changed, so that a failure later on still reports changed=true.
func (c *Call) MarkChanged() { c.changed = true }

// Warn adds a warning, which Ansible prints above the result.
func (c *Call) Warn(format string, a ...any) {
	c.warnings = append(c.warnings, fmt.Sprintf(format, a...))
}

// Diff is what --diff prints: the edited block only, never a whole file, since those hold secrets.
type Diff struct {
	Before       string `json:"before"`
	After        string `json:"after"`
	BeforeHeader string `json:"before_header,omitempty"`
	AfterHeader  string `json:"after_header,omitempty"`
}

// Result is a module's answer. Data is a struct or map whose fields become top-level keys. On a failure Data is returned too.
type Result struct {
	Changed bool
	Msg     string
	Diff    []Diff
	Data    any
}

// Main runs a module and exits: 0, or 1 with failed=true.
func Main[A any](doc []byte, rules Rules, run func(*Call, A) (Result, error)) {
	stdout := os.Stdout
	os.Stdout = os.Stderr // a stray print of a library must not break the one JSON object
	os.Exit(Run(os.Args, stdout, doc, rules, run))
}

// Run is Main without the process: argv as in os.Args, output to out; it returns the exit code.
func Run[A any](argv []string, out io.Writer, doc []byte, rules Rules, run func(*Call, A) (Result, error)) int {
	spec, err := parseDocumentation(doc)
	if err != nil {
		return emit(out, failure(nil, Result{}, err))
	}
	if len(argv) < 2 || argv[1] == "-h" || argv[1] == "--help" {
		fmt.Fprint(out, usage(spec))
		return 0
	}
	if argv[1] == "--version" {
		fmt.Fprintf(out, "%s %s\n", spec.Module, Version)
		return 0
	}
	return emit(out, execute(argv[1], spec, rules, run))
}

func execute[A any](file string, spec documentation, rules Rules, run func(*Call, A) (Result, error)) map[string]any {
	raw, err := os.ReadFile(file)
	if err != nil {
		return failure(nil, Result{}, fault.New(fault.Invalid, "%s: cannot read the arguments file %s", spec.Module, file))
	}
	typed, in, err := parseArguments(raw, spec, rules)
	if err != nil {
		return failure(nil, Result{}, fault.New(fault.Invalid, "%s: %v", spec.Module, err).
			WithHint("`%s` without arguments, or `ansible-doc -M library %s`, lists what it accepts", spec.Module, spec.Module))
	}
	call := &Call{CheckMode: in.checkMode, Diff: in.diff, RemoteTmp: in.remoteTmp}
	var answer map[string]any
	var args A
	if err := decodeInto(typed, &args); err != nil {
		answer = failure(call, Result{}, fault.Wrap(fault.Invalid, err, "%s: arguments", spec.Module))
	} else if result, err := guarded(call, args, run); err != nil {
		answer = failure(call, result, named(spec.Module, err))
	} else {
		answer = success(call, result)
	}
	if !in.noLog {
		answer["invocation"] = map[string]any{"module_args": hideSecrets(typed, rules.NoLog)}
	} else {
		delete(answer, "diff")
	}
	return answer
}

// guarded turns a panic into an error: Ansible would else see no JSON at all, and say only "MODULE FAILURE".
func guarded[A any](call *Call, args A, run func(*Call, A) (Result, error)) (result Result, err error) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(os.Stderr, "panic: %v\n%s", r, debug.Stack())
			err = fault.New(fault.Internal, "internal error: %v", r).WithHint("this is a bug: run the task again with -vvv and report what it prints")
		}
	}()
	return run(call, args)
}

// named puts the module's name before the sentence, once.
func named(module string, err error) error {
	if strings.HasPrefix(err.Error(), module+":") {
		return err
	}
	return fault.Wrap(fault.Internal, err, "%s", module)
}

func success(call *Call, r Result) map[string]any {
	out := fields(r.Data)
	out["changed"] = r.Changed
	if r.Msg != "" {
		out["msg"] = r.Msg
	}
	if call.Diff && len(r.Diff) > 0 {
		out["diff"] = r.Diff
	}
	if len(call.warnings) > 0 {
		out["warnings"] = call.warnings
	}
	return out
}

func failure(call *Call, r Result, err error) map[string]any {
	out := fields(r.Data)
	out["failed"] = true
	out["changed"] = r.Changed
	if call != nil {
		out["changed"] = call.changed || r.Changed
		if len(call.warnings) > 0 {
			out["warnings"] = call.warnings
		}
	}
	out["msg"] = err.Error()
	out["kind"] = string(fault.KindOf(err))
	if hint := fault.HintOf(err); hint != "" {
		out["hint"] = hint
	}
	return out
}

func decodeInto(typed map[string]any, args any) error {
	raw, err := json.Marshal(typed)
	if err != nil {
		return err
	}
	return decodeNumbers(raw, args)
}

// fields flattens Data to a JSON object.
func fields(data any) map[string]any {
	out := map[string]any{}
	if data == nil {
		return out
	}
	raw, err := json.Marshal(data)
	if err == nil {
		err = decodeNumbers(raw, &out)
	}
	if err != nil {
		return map[string]any{"encoding_error": err.Error()}
	}
	return out
}

func hideSecrets(typed map[string]any, noLog []string) map[string]any {
	out := map[string]any{}
	for k, v := range typed {
		out[k] = v
	}
	for _, name := range noLog {
		if _, ok := out[name]; ok {
			out[name] = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
		}
	}
	return out
}

func emit(out io.Writer, answer map[string]any) int {
	raw, err := json.Marshal(answer)
	if err != nil {
		raw = []byte(`{"failed":true,"changed":false,"kind":"internal","msg":"the result cannot be written as JSON"}`)
	}
	fmt.Fprintf(out, "%s\n", raw)
	if answer["failed"] == true {
		return 1
	}
	return 0
}
