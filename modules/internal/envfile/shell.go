package envfile

import "strings"

// shellDiffers says why a shell would read a value differently from systemd, or "". The value is as written; spaced means that blanks stand
// before it.
func shellDiffers(raw string, spaced bool) string {
	if spaced && raw != "" {
		return "there are blanks behind `=`, so that a shell sets an empty value and runs the rest as a command"
	}
	for raw != "" {
		if raw[0] != '"' && raw[0] != '\'' {
			return bareDiffers(raw)
		}
		end := closingQuote(raw)
		if raw[0] == '"' && expands(raw[1:end]) {
			return "a shell expands `$` and backquotes in double quotes, systemd does not: use single quotes"
		}
		raw = raw[end+1:]
	}
	return ""
}

// closingQuote finds the end of the quoted text that raw starts with; the scanner has checked that there is one.
func closingQuote(raw string) int {
	for i := 1; ; i++ {
		switch {
		case raw[i] == raw[0]:
			return i
		case raw[i] == '\\' && raw[0] == '"':
			i++
		}
	}
}

// expands is true where a `$` or a backquote has no backslash before it.
func expands(text string) bool {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '$', '`':
			return true
		}
	}
	return false
}

func bareDiffers(raw string) string {
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '\\':
			i++
			if raw[i] == ' ' || raw[i] == '\t' {
				return "a blank behind a backslash: put the value in double quotes"
			}
		case c == ' ' || c == '\t':
			return "an unquoted blank: systemd takes the whole line, a shell stops there. Put the value in double quotes, and a comment on a line of its own"
		case c == '"' || c == '\'':
			return "a quote within a value: it is literal for systemd, and a shell removes it"
		case strings.IndexByte("$`;&|<>()~", c) >= 0:
			return "an unquoted `" + string(c) + "`, which means something to a shell and nothing to systemd: put the value in single quotes"
		}
	}
	return ""
}
