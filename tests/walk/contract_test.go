package walk

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestContract shows that the comparison finds what is not as documented.
func TestContract(t *testing.T) {
	text := func(schema string) M { return M{"type": schema} }
	card := M{"type": "object", "required": []any{"name"}, "properties": M{
		"name": text("string"), "kind": M{"type": "string", "enum": []any{"text", "voice"}}, "age": M{"type": []any{"integer", "null"}},
	}}
	ok := M{"description": "OK", "content": M{"application/json": M{"schema": M{"allOf": []any{M{"$ref": "#/components/schemas/Card"}}}}}}
	body := M{"content": M{"application/json": M{"schema": M{"oneOf": []any{M{"type": "null"}, M{"$ref": "#/components/schemas/Card"}}}}}}
	document, err := json.Marshal(M{
		"paths":      M{"/api/cards/{id}": M{"put": M{"requestBody": body, "responses": M{"200": ok}}}},
		"components": M{"schemas": M{"Card": card}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := &Contract{}
	if err := json.Unmarshal(document, &c.document); err != nil {
		t.Fatal(err)
	}
	for _, it := range []struct{ name, sent, got, wrong string }{
		{"as documented", `{"name":"a","kind":"voice"}`, `{"name":"b","age":null}`, ""},
		{"a word of no enum", `{"name":"a","kind":"Voice"}`, `{"name":"b"}`, "none of"},
		{"another type", `{"name":7}`, `{"name":"b"}`, "is no"},
		{"not a whole number", `{"name":"a"}`, `{"name":"b","age":1.5}`, "is no"},
		{"lacking", `{"name":"a"}`, `{}`, "required"},
		{"undocumented", `{"name":"a"}`, `{"name":"b","rank":1}`, "not documented"},
	} {
		err := c.Check("PUT", "/api/cards/7?x=1", []byte(it.sent), Answer{200, "application/json", []byte(it.got)})
		if it.wrong == "" && err != nil || it.wrong != "" && (err == nil || !strings.Contains(err.Error(), it.wrong)) {
			t.Errorf("%s: %v", it.name, err)
		}
	}
	for _, answer := range []Answer{{409, "application/problem+json", []byte("{}")}, {200, "text/plain", []byte("x")}} {
		if c.Check("PUT", "/api/cards/7", nil, answer) == nil {
			t.Errorf("%+v passes", answer)
		}
	}
}
