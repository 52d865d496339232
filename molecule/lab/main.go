// Lab makes and breaks the test hosts: containers with a real systemd, sshd
// and etcd 3.2.32, laid out as the 3.11 installer leaves them. README.md says
// how scenarios use it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage: lab COMMAND ...

  deps                       install what is missing (root)
  build [--pods]             etcd, stand-ins, image, and the kubelet; at once when nothing changed
  up NAME [options]          hosts and a healthy cluster; lab up -h lists options
  down NAME                  remove all of it
  list                       labs of this checkout
  status NAME                one line a host
  hosts NAME [SELECTOR]      names, one a line: all, etcd, masters, nodes, spare, bare
  ip NAME HOST               address of a host
  exec NAME HOST -- COMMAND  run on a host; exit status is the command's
  ssh NAME HOST -- COMMAND   the same, through sshd
  kill NAME HOST...          power cut
  poweron NAME HOST...       power, and wait for sshd
  wipe NAME HOST...          kill etcd, remove its data
  wipe-down NAME HOST...     the same, and etcd's pod stays away, since the kubelet is down, too
  fetch NAME HOST PATH TO    copy files off a host that is on or off; TO must not exist
  cut NAME HOST [FROM...]    off the network, or off from some hosts only
  heal NAME HOST [FROM...]   undo cut
  readdress NAME HOST...     another address, here and in the inventory; etcd's files know the old one
  cert NAME HOST [options]   other certificates: --expired, --no-ip, or good again
  ca NAME DAYS               the CA ends after so many days, or did before; key and leafs stay
  pods NAME [HOST...]        containers of the static pods: state, starts, kills, back-offs
  pods-mark NAME             what is there now counts no more
  pods-check NAME [--starts N] [HOST...]  fails unless etcd's pod runs, never killed by its probe nor held back
  fingerprint NAME [--list] [HOST...]  sums of all files, to show that nothing was touched
  keep NAME                  power cut of all, copy the disks, power on
  reset NAME                 all hosts, writer and inventory as they were when kept, in seconds
  wait NAME [options] [HOST...]  until the cluster is healthy, or these members of it are
  writer start|stop|check|report NAME [options]
  flags start|stop NAME      look for force flags every 50 ms, in files and processes; stop fails where one was seen
  api put|get|check NAME ... objects through the masters' stand-ins
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := dispatch(ctx, os.Args[1:])
	var status exitStatus
	switch {
	case errors.As(err, &status):
		os.Exit(int(status))
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

// action is a command on a lab that exists.
type action func(l *Lab, ctx context.Context, args []string) error

var actions = map[string]action{
	"status":      (*Lab).statusCommand,
	"hosts":       (*Lab).hostsCommand,
	"ip":          (*Lab).ipCommand,
	"exec":        (*Lab).execCommand,
	"ssh":         (*Lab).sshCommand,
	"kill":        onHosts((*Lab).kill),
	"poweron":     onHosts((*Lab).powerOn),
	"wipe":        onHosts((*Lab).wipeAll),
	"wipe-down":   onHosts((*Lab).wipeDownAll),
	"fetch":       (*Lab).fetchCommand,
	"cut":         (*Lab).cutCommand,
	"heal":        (*Lab).healCommand,
	"readdress":   onHosts((*Lab).readdress),
	"cert":        (*Lab).certCommand,
	"ca":          (*Lab).caCommand,
	"fingerprint": (*Lab).fingerprintCommand,
	"keep":        (*Lab).keep,
	"reset":       (*Lab).reset,
	"wait":        (*Lab).waitCommand,
	"pods":        (*Lab).podsCommand,
	"pods-mark":   (*Lab).podsMark,
	"pods-check":  (*Lab).podsCheckCommand,
}

func dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 || args[0] == "-h" || args[0] == "--help" || args[0] == "help" {
		fmt.Print(usage)
		return nil
	}
	root, err := projectRoot()
	if err != nil {
		return err
	}
	name, rest := args[0], args[1:]
	switch name {
	case "deps":
		return deps(ctx)
	case "build":
		if err := deps(ctx); err != nil {
			return err
		}
		return buildCommand(ctx, root, rest)
	case "up":
		return upCommand(ctx, root, rest)
	case "list":
		return listCommand(root)
	case "writer", "api", "flags":
		return nested(ctx, root, name, rest)
	}
	if len(rest) == 0 {
		return fmt.Errorf("%s: which lab? `lab list` shows them; `lab help` lists commands", name)
	}
	if name == "down" {
		return down(ctx, root, rest[0])
	}
	do, ok := actions[name]
	if !ok {
		return fmt.Errorf("no command %q; `lab help` lists them", name)
	}
	l, err := openLab(root, rest[0])
	if err != nil {
		return err
	}
	return do(l, ctx, rest[1:])
}

// nested commands have a verb before the lab's name.
func nested(ctx context.Context, root, name string, args []string) error {
	verbs := map[string]map[string]action{"writer": writerActions, "api": apiActions, "flags": flagsActions}[name]
	if len(args) < 2 || verbs[args[0]] == nil {
		return fmt.Errorf("usage: lab %s VERB NAME ...; VERB is one of %v", name, sortedKeys(verbs))
	}
	l, err := openLab(root, args[1])
	if err != nil {
		return err
	}
	return verbs[args[0]](l, ctx, args[2:])
}

func buildCommand(ctx context.Context, root string, args []string) error {
	f := flag.NewFlagSet("build", flag.ContinueOnError)
	pods := f.Bool("pods", false, "what hosts with a kubelet need, too")
	if err := f.Parse(args); err != nil {
		return err
	}
	_, err := build(ctx, root, *pods)
	return err
}

func upCommand(ctx context.Context, root string, args []string) error {
	var o Options
	f := flag.NewFlagSet("up", flag.ContinueOnError)
	f.IntVar(&o.Etcd, "etcd", 3, "members")
	f.IntVar(&o.Spare, "spare", 0, "hosts prepared for etcd that are no members yet")
	f.IntVar(&o.Bare, "bare", 0, "hosts with nothing but etcd's package, or a kubelet and etcd's image, in [new_etcd]")
	f.StringVar(&o.Masters, "masters", "same", "same: etcd runs on the masters; separate: it does not")
	f.IntVar(&o.MastersCount, "masters-count", 1, "masters, where they are separate")
	f.IntVar(&o.Nodes, "nodes", 0, "hosts with flannel only")
	f.BoolVar(&o.MountData, "mount-data", false, "/var/lib/etcd is a mount point")
	f.BoolVar(&o.EtcdDisabled, "etcd-disabled", false, "etcd is started now, but not at boot")
	f.StringVar(&o.InventoryStyle, "inventory-style", "ini", "ini, ranges or yaml")
	f.BoolVar(&o.NoNewEtcd, "no-new-etcd", false, "inventory without [new_etcd]")
	f.StringVar(&o.Runtime, "runtime", "systemd", "systemd, static_pod (a kubelet runs etcd) or mixed")
	f.StringVar(&o.ManifestLayout, "manifest-layout", "template", "of etcd.yaml: template or sorted")
	f.BoolVar(&o.NoWait, "no-wait", false, "do not wait for a healthy cluster")
	if len(args) == 0 {
		return errors.New("up: give the lab a name")
	}
	if args[0] == "-h" || args[0] == "--help" {
		return f.Parse(args)
	}
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("up: what is %q?", f.Arg(0))
	}
	return up(ctx, root, args[0], o)
}
