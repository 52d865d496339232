// Package codec serves what the v2 client of etcd 3.2.32 asks of
// github.com/ugorji/go/codec: JSON from bytes into a struct, here by
// encoding/json, which goes by struct tags.
package codec

import "encoding/json"

// JsonHandle selects JSON, the only format here.
type JsonHandle struct{}

// Decoder decodes one JSON value.
type Decoder struct{ data []byte }

// NewDecoderBytes decodes data.
func NewDecoderBytes(data []byte, _ *JsonHandle) *Decoder {
	return &Decoder{data: data}
}

// Decode fills v by its struct tags.
func (d *Decoder) Decode(v any) error { return json.Unmarshal(d.data, v) }
