package ini

import "errors"

// token is one word of a host line: its value, and where its text stands in the line.
type token struct {
	value      string
	start, end int
}

// splitWords splits a host line as Ansible does, which uses Python's shlex with comments: quotes and backslashes as in a POSIX shell,
// and a # ends the line even in the middle of a word (`pass=ab#cd` is "ab").
func splitWords(s string) ([]token, error) {
	var out []token
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case isBlank(c):
			i++
		case c == '#':
			return out, nil
		default:
			word, next, err := readWord(s, i)
			if err != nil {
				return nil, err
			}
			out = append(out, word)
			i = next
		}
	}
	return out, nil
}

func readWord(s string, start int) (token, int, error) {
	var value []byte
	i := start
	for i < len(s) && !isBlank(s[i]) {
		switch c := s[i]; c {
		case '#':
			return token{string(value), start, i}, len(s), nil
		case '\\':
			if i+1 == len(s) {
				return token{}, 0, errors.New("a backslash ends the line")
			}
			value = append(value, s[i+1])
			i += 2
		case '\'', '"':
			part, next, err := readQuoted(s, i)
			if err != nil {
				return token{}, 0, err
			}
			value = append(value, part...)
			i = next
		default:
			value = append(value, c)
			i++
		}
	}
	return token{string(value), start, i}, i, nil
}

// readQuoted reads from the quote at i to its partner. A backslash escapes only inside double quotes, and only a backslash or the quote.
func readQuoted(s string, i int) ([]byte, int, error) {
	quote := s[i]
	var value []byte
	for i++; i < len(s); i++ {
		switch c := s[i]; {
		case c == quote:
			return value, i + 1, nil
		case c == '\\' && quote == '"' && i+1 < len(s):
			i++
			if s[i] != '\\' && s[i] != '"' {
				value = append(value, '\\')
			}
			value = append(value, s[i])
		default:
			value = append(value, c)
		}
	}
	return nil, 0, errors.New("a quotation mark is not closed")
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }
