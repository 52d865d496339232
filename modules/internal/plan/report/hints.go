package report

import (
	"regexp"
	"strings"

	"etcd-quorum-restore/modules/internal/plan/rows"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// hintLines keeps each command in one piece, on a line of its own, so that it can be copied. A command begins at the start of the hint or after a
// colon, with the variables that are set for it, and ends at the end of the hint or before a semicolon.
func hintLines(hint string) []string {
	var lines []string
	label := "Next"
	for hint != "" {
		text, command, rest := cutCommand(hint)
		switch {
		case command == "":
			return append(lines, wording.Labelled(label, text)...)
		case text == "":
			lines = append(lines, wording.Pad(label, wording.Indent, false)+command)
		default:
			lines = append(append(lines, wording.Labelled(label, text)...), strings.Repeat(" ", wording.Indent)+command)
		}
		label, hint = "", rest
	}
	return lines
}

var commandBegins = regexp.MustCompile(`(?:^|: )((?:[A-Z_]+=(?:'[^']*'|\S+) )*ansible(?:-playbook -i)? )`)

func cutCommand(hint string) (text, command, rest string) {
	at := commandBegins.FindStringSubmatchIndex(hint)
	if at == nil {
		return hint, "", ""
	}
	command, rest, _ = strings.Cut(hint[at[2]:], "; ")
	return strings.TrimSpace(hint[:at[2]]), command, rest
}

// apart is a hint in lines for playbooks: each command is a line, in one piece.
func apart(hint string) []string {
	var lines []string
	for hint != "" {
		text, command, rest := cutCommand(hint)
		for _, line := range []string{text, command} {
			if line != "" {
				lines = append(lines, line)
			}
		}
		hint = rest
	}
	return lines
}

func afterLead(d *rows.Decision) string {
	switch {
	case d.Action == rows.RemoveHost:
		return "what is left to do, and how the host becomes a member again:"
	case len(d.Out) == 0:
		return "what is left to do:"
	}
	return "to add the hosts back that are left out; never power on two of them together:"
}

// afterLines folds the sentences, and leaves the commands in one piece.
func afterLines(lead string, after []string) []string {
	if len(after) == 0 {
		return nil
	}
	lines := wording.Labelled("Afterwards", lead)
	for _, each := range after {
		if strings.HasSuffix(each, ":") {
			lines = append(lines, wording.Labelled("", each)...)
			continue
		}
		lines = append(lines, strings.Repeat(" ", wording.Indent)+each)
	}
	return lines
}

func commandLines(label, text string, commands []string) []string {
	switch {
	case len(commands) == 0:
		return nil
	case text == "":
		return []string{wording.Pad(label, wording.Indent, false) + commands[0]}
	}
	lines := wording.Labelled(label, text)
	for _, c := range commands {
		lines = append(lines, strings.Repeat(" ", wording.Indent)+c)
	}
	return lines
}
