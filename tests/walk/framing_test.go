package walk

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// TestFramingOfTheDocument: the two examples of chat/PROTOCOL.md that stand there in both forms.
func TestFramingOfTheDocument(t *testing.T) {
	binary, err := NewProto(t.Context(), schemaFolder())
	if err != nil {
		t.Fatal(err)
	}
	examples := []struct {
		command M
		frame   string
	}{
		{M{"ping": M{"nonce": "7"}}, "04 52 02 08 07"},
		{
			Say("0190a5c8-7c1e-7b3a-9f0e-2f4b8d1c6a55", "0190a5c8-8000-7000-8000-000000000001", Words("头疼")),
			`5a 1a 58 0a 24 30 31 39 30 61 35 63 38 2d 37 63 31 65 2d 37 62 33 61 2d 39 66 30 65 2d 32 66 34
			62 38 64 31 63 36 61 35 35 12 24 30 31 39 30 61 35 63 38 2d 38 30 30 30 2d 37 30 30 30 2d 38 30
			30 30 2d 30 30 30 30 30 30 30 30 30 30 30 31 1a 0a 0a 08 0a 06 e5 a4 b4 e7 96 bc`,
		},
	}
	for _, example := range examples {
		want, err := hex.DecodeString(strings.Join(strings.Fields(example.frame), ""))
		if err != nil {
			t.Fatal(err)
		}
		frame, err := binary.Encode(example.command)
		if err != nil || !bytes.Equal(frame, want) {
			t.Errorf("%v is % x in the document, % x here (%v)", example.command, want, frame, err)
		}
	}
}
