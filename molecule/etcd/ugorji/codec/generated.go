package codec

// GenVersion is what the generated code of etcd's v2 client checks at start.
const GenVersion = 5

// Encoder, the drivers and the helpers below have the shape that the client's
// generated code compiles against. Decode goes by encoding/json, so none of
// them is ever called: the values are nil.
type Encoder struct{}

type (
	encoderHelper interface {
		EncBinary() bool
		EncBasicHandle() *basicHandle
		EncBinaryMarshal(v any)
		EncExt(v any) bool
		EncFallback(v any)
		EncJSONMarshal(v any)
		EncSendContainerState(state int)
		HasExtensions() bool
		IsJSONHandle() bool
		TimeRtidIfBinc() uintptr
	}
	encoderDriver interface {
		EncodeArrayStart(n int)
		EncodeBool(v bool)
		EncodeBuiltin(id uintptr, v any)
		EncodeInt(v int64)
		EncodeMapStart(n int)
		EncodeNil()
		EncodeString(kind int, v string)
		EncodeUint(v uint64)
	}
	decoderHelper interface {
		DecBasicHandle() *basicHandle
		DecBinary() bool
		DecBinaryUnmarshal(v any)
		DecExt(v any) bool
		DecFallback(v any, check bool)
		DecInferLen(n, limit, unit int) (int, bool)
		DecJSONUnmarshal(v any)
		DecScratchBuffer() []byte
		DecSendContainerState(state int)
		DecSliceHelperStart() (sliceHelper, int)
		DecStructFieldNotFound(index int, name string)
		DecSwallow()
		HasExtensions() bool
		IsJSONHandle() bool
		TimeRtidIfBinc() uintptr
	}
	decoderDriver interface {
		CheckBreak() bool
		ContainerType() int
		DecodeBool() bool
		DecodeBuiltin(id uintptr, v any)
		DecodeBytes(buf []byte, isString, zeroCopy bool) []byte
		DecodeInt(bits uint8) int64
		DecodeString() string
		DecodeUint(bits uint8) uint64
		ReadArrayStart() int
		ReadMapStart() int
		TryDecodeAsNil() bool
	}
	sliceHelper interface {
		ElemContainerState(n int)
		End()
	}
	basicHandle struct {
		StructToArray bool
		MaxInitLen    int
	}
)

// GenHelperEncoder is called by generated code only.
func GenHelperEncoder(*Encoder) (encoderHelper, encoderDriver) { return nil, nil }

// GenHelperDecoder is called by generated code only.
func GenHelperDecoder(*Decoder) (decoderHelper, decoderDriver) { return nil, nil }
