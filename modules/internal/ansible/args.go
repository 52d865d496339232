package ansible

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"etcd-quorum-restore/modules/internal/login"
)

// internals are the `_ansible_*` keys that a module honours; all others of that prefix are accepted and ignored, since each release
// of Ansible adds some.
type internals struct {
	checkMode, diff, noLog bool
}

// parseArguments turns the arguments file into typed values, by the documentation.
func parseArguments(raw []byte, doc documentation, rules Rules) (map[string]any, internals, error) {
	var in internals
	given, err := decodeObject(raw)
	if err != nil {
		return nil, in, fmt.Errorf("the arguments file is not a JSON object: %w", err)
	}
	typed := map[string]any{}
	for key, value := range given {
		if strings.HasPrefix(key, "_ansible_") {
			if err := in.set(key, value); err != nil {
				return nil, in, fmt.Errorf("argument %s: %w", key, err)
			}
			continue
		}
		name, ok := doc.resolve(key)
		if !ok {
			return nil, in, fmt.Errorf("unknown argument %.200q; accepted: %s", key, strings.Join(doc.names(), ", "))
		}
		if value == nil {
			continue // Ansible passes null for "omit"; the default stands
		}
		if _, twice := typed[name]; twice {
			return nil, in, fmt.Errorf("argument %s is given twice, once by an alias", name)
		}
		o := doc.Options[name]
		if value == "" && o.kind() == "path" && o.Default == nil {
			continue // an empty variable of a play; a path is never empty
		}
		converted, err := convertOption(name, o, value, rules)
		if err != nil {
			return nil, in, err
		}
		typed[name] = converted
	}
	if err := rules.check(typed); err != nil {
		return nil, in, err
	}
	return typed, in, fillDefaults(doc, typed, rules)
}

func fillDefaults(doc documentation, typed map[string]any, rules Rules) error {
	for _, name := range doc.names() {
		o := doc.Options[name]
		if _, ok := typed[name]; ok {
			continue
		}
		if o.Required {
			return fmt.Errorf("argument %s is required (%s)", name, o.kind())
		}
		if o.Default == nil {
			continue
		}
		converted, err := convertOption(name, o, o.Default, rules)
		if err != nil {
			return err
		}
		typed[name] = converted
	}
	return nil
}

// set refuses what is neither yes nor no: a check mode that is not understood must not become a run that changes something.
func (in *internals) set(key string, value any) (err error) {
	known := map[string]*bool{"_ansible_check_mode": &in.checkMode, "_ansible_diff": &in.diff, "_ansible_no_log": &in.noLog}[key]
	if known != nil && value != nil {
		*known, err = toBool(value)
	}
	return err
}

func (o option) kind() string {
	if o.Type == "" {
		return "str"
	}
	return o.Type
}

func convertOption(name string, o option, value any, rules Rules) (any, error) {
	if _, number := value.(json.Number); number && slices.Contains(rules.IDs, name) {
		return nil, fmt.Errorf("argument %s is a hexadecimal ID and was read as a number: quote it, e.g. %s: \"8e9e05c52164694d\"", name, name)
	}
	converted, err := convert(o.kind(), o.Elements, value)
	if r, limited := rules.RangeOf(name); limited && (err != nil || !r.holds(converted)) {
		return nil, fmt.Errorf("argument %s: expected a whole number %s, got %s", name, r, describe(value))
	}
	if err == nil {
		err = checkPaths(o, converted, slices.Contains(rules.RelativePaths, name))
	}
	if err == nil {
		err = chosen(o.Choices, converted)
	}
	if err != nil {
		return nil, fmt.Errorf("argument %s: %w", name, err)
	}
	return converted, nil
}

func chosen(choices []string, converted any) error {
	if len(choices) == 0 {
		return nil
	}
	for _, each := range choicesIn(converted) {
		if !slices.Contains(choices, each) {
			return fmt.Errorf("%.200q is not one of %s", each, strings.Join(choices, ", "))
		}
	}
	return nil
}

func choicesIn(v any) []string {
	list, ok := v.([]any)
	if !ok {
		return []string{fmt.Sprint(v)}
	}
	var out []string
	for _, each := range list {
		out = append(out, fmt.Sprint(each))
	}
	return out
}

// convert follows AnsibleModule's conversions, so that what works for a Python module works here.
func convert(kind, elements string, value any) (any, error) {
	switch kind {
	case "str":
		return toString(value)
	case "path":
		s, err := toString(value)
		return expandPath(s), err
	case "bool":
		return toBool(value)
	case "int":
		return toInt(value)
	case "float":
		return toFloat(value)
	case "list":
		return toList(elements, value)
	case "dict":
		return toDict(value)
	case "raw":
		return value, nil
	}
	return nil, fmt.Errorf("the documentation gives an unknown type %q", kind)
}

// longestText is longer than any name, reason or path; a longer text could not be an argument of a program either.
const longestText = 64 << 10

func toString(value any) (string, error) {
	switch v := value.(type) {
	case string:
		if len(v) > longestText {
			return "", fmt.Errorf("expected at most %d bytes, got %d", longestText, len(v))
		}
		if strings.ContainsRune(v, 0) {
			return "", fmt.Errorf("%s holds a NUL character", describe(v))
		}
		if strings.ContainsRune(v, utf8.RuneError) { // what encoding/json puts in place of other bytes, which would make it another name or path
			return "", fmt.Errorf("%s holds bytes that are not UTF-8", describe(v))
		}
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool, int, float64:
		return fmt.Sprint(v), nil
	}
	return "", fmt.Errorf("expected a string, got %s", describe(value))
}

func toBool(value any) (bool, error) {
	word := strings.ToLower(strings.TrimSpace(fmt.Sprint(value)))
	switch word {
	case "yes", "on", "1", "true", "1.0", "y", "t":
		return true, nil
	case "no", "off", "0", "false", "0.0", "n", "f":
		return false, nil
	}
	return false, fmt.Errorf("expected yes or no, got %s", describe(value))
}

func toInt(value any) (int64, error) {
	text := strings.TrimSpace(fmt.Sprint(value))
	switch value.(type) {
	case string, json.Number, int:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, nil
		}
	}
	return 0, fmt.Errorf("expected a whole number, got %s", describe(value))
}

func toFloat(value any) (float64, error) {
	switch value.(type) {
	case string, json.Number, int, float64:
		if n, err := strconv.ParseFloat(strings.TrimSpace(fmt.Sprint(value)), 64); err == nil {
			return n, nil
		}
	}
	return 0, fmt.Errorf("expected a number, got %s", describe(value))
}

func toList(elements string, value any) ([]any, error) {
	var items []any
	switch v := value.(type) {
	case []any:
		items = v
	case string:
		if strings.HasPrefix(strings.TrimSpace(v), "[") {
			if err := decodeTyped([]byte(v), &items); err != nil {
				return nil, fmt.Errorf("expected a list, got text that starts like one but is not JSON: %w", err)
			}
			break
		}
		for _, part := range login.Split(v) {
			if part = strings.TrimSpace(part); part != "" {
				items = append(items, part)
			}
		}
	case json.Number, int, float64, bool:
		items = []any{fmt.Sprint(v)}
	default:
		return nil, fmt.Errorf("expected a list, got %s", describe(value))
	}
	out := make([]any, 0, len(items))
	for i, item := range items {
		if elements == "" {
			out = append(out, item)
			continue
		}
		converted, err := convert(elements, "", item)
		if err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
		out = append(out, converted)
	}
	return out, nil
}

func toDict(value any) (map[string]any, error) {
	switch v := value.(type) {
	case map[string]any:
		return v, nil
	case string:
		text := strings.TrimSpace(v)
		if strings.HasPrefix(text, "{") {
			out, err := decodeObject([]byte(text))
			if err != nil {
				return nil, fmt.Errorf("expected a dict, got text that starts like one but is not JSON: %w", err)
			}
			return out, nil
		}
		return pairs(text)
	}
	return nil, fmt.Errorf("expected a dict, got %s", describe(value))
}

// pairs reads "a=1 b=2" and "a=1,b=2".
func pairs(text string) (map[string]any, error) {
	out := map[string]any{}
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' }) {
		key, value, ok := strings.Cut(part, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("expected a dict (JSON, or k=v pairs), got %s", describe(text))
		}
		if _, twice := out[key]; twice {
			return nil, fmt.Errorf("%.200q is given twice", key)
		}
		out[key] = value
	}
	return out, nil
}

func describe(value any) string {
	switch v := value.(type) {
	case string:
		return fmt.Sprintf("%.200q", v)
	case json.Number:
		return "the number " + v.String()
	case bool:
		return fmt.Sprintf("the boolean %v", v)
	case []any:
		return "a list"
	case map[string]any:
		return "a dict"
	case nil:
		return "nothing"
	}
	return fmt.Sprintf("%v", value)
}
