package ansible

import (
	"fmt"
	"strings"
)

// usage is printed when a module is started by hand without an arguments file.
func usage(d documentation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\nAn Ansible module: it reads its arguments from a JSON file and prints one JSON object.\n", d.Module, d.Short)
	fmt.Fprintf(&b, "\n  %s ARGS.json\n  %s --version\n  ansible HOSTS -m %s -a 'key=value …'\n\nArguments:\n", d.Module, d.Module, d.Module)
	for _, name := range d.names() {
		o := d.Options[name]
		fmt.Fprintf(&b, "  %s (%s%s)\n", name, o.kind(), o.qualifiers())
		for _, line := range paragraphs(o.Description) {
			fmt.Fprintf(&b, "      %s\n", line)
		}
	}
	return b.String()
}

func (o option) qualifiers() string {
	var b strings.Builder
	if o.Elements != "" {
		fmt.Fprintf(&b, " of %s", o.Elements)
	}
	if o.Required {
		b.WriteString(", required")
	}
	if o.Default != nil {
		fmt.Fprintf(&b, ", default %v", o.Default)
	}
	if len(o.Choices) > 0 {
		fmt.Fprintf(&b, ", one of %s", strings.Join(o.Choices, " "))
	}
	if len(o.Aliases) > 0 {
		fmt.Fprintf(&b, ", also called %s", strings.Join(o.Aliases, " "))
	}
	return b.String()
}

// paragraphs reads a description, which Ansible allows as a string or as a list.
func paragraphs(description any) []string {
	switch v := description.(type) {
	case string:
		return []string{strings.TrimSpace(v)}
	case []any:
		var out []string
		for _, each := range v {
			out = append(out, strings.TrimSpace(fmt.Sprint(each)))
		}
		return out
	}
	return nil
}
