package ansible

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/commands"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/guard"
)

// Version is set by the linker (-X); "dev" otherwise.
var Version = "dev"

// memory is where the collector begins to work harder: a host in trouble has little left, and etcd needs it.
const memory = 200 << 20

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

// Module is what a module does. ctx ends when the argument `timeout` is over, where the module has one; everything that may wait gets it.
type Module[A any] func(ctx context.Context, call *Call, args A) (Result, error)

// Main runs a module and exits: 0, or 1 with failed=true.
func Main[A any](doc []byte, rules Rules, run Module[A]) {
	stdout := os.Stdout
	debug.SetMemoryLimit(memory)
	os.Stdout = os.Stderr // a stray print of a library must not break the one JSON object
	os.Exit(Run(os.Args, stdout, doc, rules, run))
}

// Run is Main without the process: argv as in os.Args, output to out; it returns the exit code.
func Run[A any](argv []string, out io.Writer, doc []byte, rules Rules, run Module[A]) int {
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
	var answer map[string]any
	if err := guard.Call(func() error { answer = execute(argv[1], spec, rules, run); return nil }); err != nil {
		answer = failure(nil, Result{}, err)
	}
	commands.Read(os.Getenv(commands.Variable)).CompleteAnswer(answer)
	return emit(out, answer)
}

func execute[A any](file string, spec documentation, rules Rules, run Module[A]) map[string]any {
	raw, err := readArguments(file)
	if err != nil {
		return failure(nil, Result{}, fault.New(fault.Invalid, "%s: %v", spec.Module, err))
	}
	typed, in, err := parseArguments(raw, spec, rules)
	if err != nil {
		return failure(nil, Result{}, fault.New(fault.Invalid, "%s: %v", spec.Module, err).
			WithHint("`%s` without arguments, or `ansible-doc -M library %s`, lists what it accepts", spec.Module, spec.Module))
	}
	call := &Call{CheckMode: in.checkMode, Diff: in.diff}
	ctx, cancel := limited(typed)
	defer cancel()
	var answer map[string]any
	var args A
	if err := decodeInto(typed, &args); err != nil {
		answer = failure(call, Result{}, fault.Wrap(fault.Invalid, err, "%s: arguments", spec.Module))
	} else if result, err := within(ctx, rules.ReadOnly, call, args, run); err != nil {
		answer = failure(call, result, named(spec.Module, err))
	} else {
		answer = success(call, result)
	}
	if in.noLog {
		delete(answer, "diff")
		return answer
	}
	if answer["changed"] == true && !in.checkMode {
		journal(spec.Module, answer)
	}
	answer["invocation"] = map[string]any{"module_args": typed}
	return answer
}

// largestArguments is far more than the facts of any cluster take.
const largestArguments = 16 << 20

// readArguments also takes a pipe, which a shell may give.
func readArguments(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the arguments file %s", file)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, largestArguments+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the arguments file %s", file)
	}
	if len(raw) > largestArguments {
		return nil, fmt.Errorf("the arguments file %s has more than %d bytes", file, largestArguments)
	}
	return raw, nil
}

// limited is the context of the whole module.
func limited(typed map[string]any) (context.Context, context.CancelFunc) {
	seconds, ok := typed[timeoutName].(int64)
	if !ok {
		return context.WithCancel(context.Background())
	}
	return context.WithTimeout(context.Background(), time.Duration(seconds)*time.Second)
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
	call.report(out)
	return out
}

func failure(call *Call, r Result, err error) map[string]any {
	out := fields(r.Data)
	out["failed"] = true
	out["changed"] = r.Changed
	if call != nil {
		out["changed"] = call.report(out) || r.Changed
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

func emit(out io.Writer, answer map[string]any) int {
	raw, err := json.Marshal(quoted(answer))
	if err != nil {
		raw = []byte(`{"failed":true,"changed":false,"kind":"internal","msg":"the result cannot be written as JSON"}`)
	}
	fmt.Fprintf(out, "%s\n", raw)
	if answer["failed"] == true {
		return 1
	}
	return 0
}
