// Package commands completes the commands in messages, so that they run as pasted, from any directory of the control node.
//
// The code has the short form, ansible-playbook playbooks/NAME.yml and ansible HOST -m MODULE, which works by hand in the project's directory. A
// playbook knows more, and passes it on in the environment: the directory of the playbooks, the inventory, the host, and what the run was given
// on its command line for the vault, the login and become. With that each command is completed on its way out.
package commands

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Variable is the environment variable that holds a Place as JSON, after the word json and a space.
const Variable = "ETCD_QUORUM_RESTORE_COMMANDS"

// Place is what a command needs to know.
type Place struct {
	Playbooks string            `json:"playbooks"` // the directory of the playbooks, absolute
	Inventory []string          `json:"inventory"` // the operator's own -i
	Host      string            `json:"host"`      // this host's name in the inventory
	Variables map[string]string `json:"variables"` // extra variables without which another cluster would be looked at; "" is not given
	Given     Given             `json:"given"`
}

// Given is what the lookup plugin etcd_given returns.
type Given struct {
	Config  string   `json:"config"`  // the ansible.cfg of the run, "" where Ansible finds it from any directory
	Options []string `json:"options"` // words of the command line for the vault, the login and become, and files of extra variables
}

// Read takes what a playbook has handed on. A module that runs without one has the zero Place, which completes nothing.
func Read(value string) Place {
	var p Place
	if json.Unmarshal([]byte(strings.TrimPrefix(value, "json ")), &p) != nil || !strings.HasPrefix(p.Playbooks, "/") || len(p.Inventory) == 0 {
		return Place{}
	}
	p.Playbooks = strings.TrimSuffix(p.Playbooks, "/steps") // for Ansible an imported playbook has its own playbook_dir
	return p
}

const (
	word    = `(?:'[^']*'|[^\s'` + "`" + `;,]+)`
	sources = `((?: -i (?:'[^']*'|[^\s'` + "`" + `;]+))*)`
)

var (
	playbook = regexp.MustCompile(`\bansible-playbook` + sources + ` playbooks/([a-z_]+\.yml)`)
	option   = regexp.MustCompile(` -e etcd_host=HOST\b`)
	module   = regexp.MustCompile(`\bansible (` + word + `(?:,` + word + `)*)` + sources + ` -m ([a-z_]+)`)
)

// Complete is the text with each of its commands completed.
func (p Place) Complete(text string) string {
	if p.Playbooks == "" || !strings.Contains(text, "ansible") {
		return text
	}
	text = playbook.ReplaceAllStringFunc(text, func(found string) string {
		return p.config() + "ansible-playbook" + p.inventory() + p.options() + " " + Quote(p.Playbooks+"/"+playbook.FindStringSubmatch(found)[2]) + p.variables()
	})
	text = option.ReplaceAllLiteralString(text, " -e etcd_host="+p.host("HOST"))
	return module.ReplaceAllStringFunc(text, func(found string) string {
		part := module.FindStringSubmatch(found)
		return p.config() + "ansible " + p.host(part[1]) + p.inventory() + p.options() + " -M " + Quote(p.Playbooks+"/library") + " -m " + part[3]
	})
}

// CompleteAll are the lines, each completed.
func (p Place) CompleteAll(lines []string) []string {
	var out []string
	for _, line := range lines {
		out = append(out, p.Complete(line))
	}
	return out
}

// host replaces HOST with the host that the module runs on. On the control node HOST stays: it stands for any host.
func (p Place) host(pattern string) string {
	if pattern == "HOST" && p.Host != "" && p.Host != "localhost" {
		return Quote(p.Host)
	}
	if group := p.Variables["etcd_group"]; pattern == "etcd" && group != "" {
		return Quote(group)
	}
	return pattern
}

func (p Place) inventory() string {
	out := ""
	for _, each := range p.Inventory {
		out += " -i " + Quote(each)
	}
	return out
}

func (p Place) config() string {
	if p.Given.Config == "" {
		return ""
	}
	return "ANSIBLE_CONFIG=" + Quote(p.Given.Config) + " "
}

func (p Place) options() string {
	out := ""
	for _, each := range p.Given.Options {
		out += " " + Quote(each)
	}
	return out
}

func (p Place) variables() string {
	out := ""
	for _, name := range slices.Sorted(maps.Keys(p.Variables)) {
		if value := p.Variables[name]; value != "" {
			out += " -e " + Quote(name+"="+value)
		}
	}
	return out
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+,-]+$`)

// Quote is the text as one word of a shell.
func Quote(text string) string {
	if plain.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// raw are fields that hold no sentences: the arguments, and contents of files.
var raw = []string{"invocation", "diff", "before", "after", "stdout"}

// CompleteAnswer does the same with all texts of a module's answer, and puts the host before each warning: Ansible prints those without it.
func (p Place) CompleteAnswer(answer map[string]any) {
	if p.Playbooks == "" {
		return
	}
	if warnings, some := answer["warnings"].([]string); some && p.Host != "" && p.Host != "localhost" {
		for i := range warnings {
			warnings[i] = p.Host + ": " + warnings[i]
		}
	}
	for key, value := range answer {
		if !slices.Contains(raw, key) {
			answer[key] = p.complete(value)
		}
	}
}

func (p Place) complete(value any) any {
	switch v := value.(type) {
	case string:
		return p.Complete(v)
	case []string:
		for i := range v {
			v[i] = p.Complete(v[i])
		}
	case []any:
		for i := range v {
			v[i] = p.complete(v[i])
		}
	case map[string]any:
		p.CompleteAnswer(v)
	}
	return value
}
