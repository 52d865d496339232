package ansible

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// decodeNumbers keeps numbers as written: a float64 would round a 64-bit index or ID.
func decodeNumbers(raw []byte, out any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(out); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF { // not More, for which a bracket that closes nothing is an end, too
		return fmt.Errorf("more text follows the first JSON value")
	}
	return nil
}

// decodeTyped is decodeNumbers for what a person may have typed: a name that is given twice means two things.
func decodeTyped(raw []byte, out any) error {
	if err := decodeNumbers(raw, out); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return once(d, 0)
}

// decodeObject is decodeTyped for an object, which null is not.
func decodeObject(raw []byte) (out map[string]any, err error) {
	if err := decodeTyped(raw, &out); err != nil {
		return nil, err
	}
	if out == nil {
		return nil, fmt.Errorf("it is null")
	}
	return out, nil
}

// deepest is deeper than any argument. Python, and so Ansible, cannot read an answer that repeats one of a thousand levels.
const deepest = 100

// once finds a name that an object has twice: encoding/json takes the last one without a word.
func once(d *json.Decoder, depth int) error {
	token, err := d.Token()
	if err != nil || token != json.Delim('{') && token != json.Delim('[') {
		return err
	}
	if depth > deepest {
		return fmt.Errorf("it is nested more than %d levels deep", deepest)
	}
	seen := map[string]bool{}
	for d.More() {
		if token == json.Delim('{') {
			key, err := d.Token()
			if err != nil {
				return err
			}
			if name, _ := key.(string); seen[name] {
				return fmt.Errorf("%.200q is given twice", name)
			} else {
				seen[name] = true
			}
		}
		if err := once(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token() // the end
	return err
}
