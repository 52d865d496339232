package envfile

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// scanner follows systemd's grammar of environment files: that of 219 as read in RHEL 7's source (src/shared/fileio.c), and that of 252
// as tried on all readable files of the tests. Where two releases differ it refuses.
type scanner struct {
	data    []byte
	pos     int
	line    int
	shell   bool
	entries []entry
}

const eof = 0 // NUL bytes were refused before

var keyForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (s *scanner) peek() byte {
	if s.pos >= len(s.data) {
		return eof
	}
	return s.data[s.pos]
}

func (s *scanner) next() byte {
	c := s.peek()
	if c == eof {
		return c
	}
	s.pos++
	if c == '\n' {
		s.line++
	}
	return c
}

// atLineEnd is true before "\n", before "\r\n" and at the end of the file.
func (s *scanner) atLineEnd() bool {
	c := s.peek()
	return c == eof || c == '\n' || c == '\r'
}

func (s *scanner) skipLineEnd() {
	if s.peek() == '\r' {
		s.next()
	}
	s.next()
}

func (s *scanner) blanks() {
	for s.peek() == ' ' || s.peek() == '\t' {
		s.next()
	}
}

func (s *scanner) file() error {
	for s.peek() != eof {
		start := s.pos
		s.blanks()
		switch c := s.peek(); {
		case s.atLineEnd():
			s.skipLineEnd()
		case c == '#' || c == ';':
			if err := s.comment(c); err != nil {
				return err
			}
		default:
			if err := s.assignment(start); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *scanner) comment(mark byte) error {
	line, start := s.line, s.pos
	if mark == ';' && s.shell {
		return refuse(line, "`;` starts a comment for systemd and is an error for a shell: use `#`")
	}
	for !s.atLineEnd() {
		s.next()
	}
	text := s.data[start:s.pos]
	s.skipLineEnd()
	slashes := len(text) - len(bytes.TrimRight(text, `\`))
	if slashes%2 == 1 && !s.harmlessNext() {
		return refuse(line, "the comment ends in a backslash, so that older releases of systemd take the next line for a part of it: remove the backslash")
	}
	return nil
}

// harmlessNext is true where the next line is blank or a comment, whether or not it belongs to the comment above it.
func (s *scanner) harmlessNext() bool {
	rest, _, _ := bytes.Cut(s.data[s.pos:], []byte("\n"))
	rest = bytes.TrimSpace(rest)
	return len(rest) == 0 || rest[0] == '#'
}

func (s *scanner) assignment(start int) error {
	line, keyFrom := s.line, s.pos
	for !s.atLineEnd() && s.peek() != '=' {
		s.next()
	}
	written := string(s.data[keyFrom:s.pos])
	key := strings.TrimRight(written, " \t")
	if s.shell {
		if err := keyForShell(line, written, s.peek() == '='); err != nil {
			return err
		}
	}
	if s.atLineEnd() { // systemd passes over a line without "="
		s.skipLineEnd()
		return nil
	}
	s.next()
	e := entry{key: key, line: line, start: start}
	if err := s.value(&e); err != nil {
		return err
	}
	if s.shell {
		if why := shellDiffers(string(s.data[e.from:e.to]), s.data[e.from-1] != '='); why != "" {
			return refuse(line, "%s: %s", key, why)
		}
	}
	s.skipLineEnd()
	e.end = s.pos
	if !utf8.ValidString(key) || !utf8.ValidString(e.value) || strings.ContainsFunc(e.value, forbidden) {
		return refuse(line, "%s: the value holds a line end, another control character, or bytes that are not UTF-8; there are releases of systemd that ignore it, or the whole file", key)
	}
	if keyForm.MatchString(key) { // systemd passes over other keys
		s.entries = append(s.entries, e)
	}
	return nil
}

// forbidden is true for control characters but the tab: systemd 219 ignores a value with a line end, later releases take it.
func forbidden(r rune) bool { return unicode.IsControl(r) && r != '\t' }

// keyForShell refuses a line that a shell would run as a command.
func keyForShell(line int, written string, assigned bool) error {
	switch {
	case !assigned:
		return refuse(line, "expected KEY=value or a comment: systemd ignores the line, a shell runs it as a command") // the line may be a part of a secret
	case strings.HasPrefix(written, "export ") || strings.HasPrefix(written, "export\t"):
		return refuse(line, "`export` is only understood by a shell, systemd ignores the line: remove the word")
	case !keyForm.MatchString(written):
		return refuse(line, "expected KEY=value without blanks around the key, which is a key of letters, digits and _: a shell runs the line as a command")
	}
	return nil
}

// value reads up to the end of the line, and stops before it. Quotes count only at the start of a value or behind a closing quote.
func (s *scanner) value(e *entry) error {
	s.blanks()
	e.from, e.to = s.pos, s.pos
	var out []byte
	for !s.atLineEnd() {
		c := s.peek()
		if c != '"' && c != '\'' {
			rest, err := s.bare(e)
			e.value = string(append(out, rest...))
			return err
		}
		quoted, err := s.quoted(e)
		if err != nil {
			return err
		}
		out = append(out, quoted...)
		e.to = s.pos
		s.blanks()
	}
	e.value = string(out)
	return nil
}

// bare reads an unquoted value: quotes in it are literal, blanks at its end are not part of it.
func (s *scanner) bare(e *entry) ([]byte, error) {
	var out []byte
	kept := 0
	for !s.atLineEnd() {
		c := s.next()
		if c == '\\' {
			if s.peek() == eof || s.peek() == '\r' {
				return nil, refuse(s.line, "%s: the line ends in a backslash that continues nothing", e.key)
			}
			if c = s.next(); c != '\n' {
				out = append(out, c)
			}
			kept, e.to = len(out), s.pos
			continue
		}
		out = append(out, c)
		if c != ' ' && c != '\t' {
			kept, e.to = len(out), s.pos
		}
	}
	return out[:kept], nil
}

func (s *scanner) quoted(e *entry) ([]byte, error) {
	line, quote := s.line, s.next()
	var out []byte
	for {
		switch c := s.next(); {
		case c == eof:
			return nil, refuse(line, "%s: the quote %c is never closed", e.key, quote)
		case c == quote:
			return out, nil
		case c != '\\':
			out = append(out, c)
		case quote == '\'':
			return nil, refuse(s.line, "%s: a backslash in single quotes, which releases of systemd read differently", e.key)
		default:
			c = s.next()
			if !strings.ContainsRune("\"\\`$\n", rune(c)) {
				return nil, refuse(line, "%s: a backslash before %q in double quotes, which releases of systemd read differently", e.key, c)
			}
			if c != '\n' {
				out = append(out, c)
			}
		}
	}
}
