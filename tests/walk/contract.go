package walk

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Contract is the published `/api/openapi.json`: what the walk sends with success and every answer it gets has to stand there.
type Contract struct {
	document map[string]any
}

// published is the contract of the server that is walked through; nil before it is read.
var published *Contract

// ReadContract asks the server for its document.
func ReadContract(t *testing.T, base string) *Contract {
	t.Helper()
	nobody := API{Base: base}
	var document map[string]any
	nobody.JSON(t, http.MethodGet, "/api/openapi.json", nil).Want(t, 200, &document)
	return &Contract{document}
}

// Check compares a request that was carried out, and its answer, with the document. Paths outside of it are nobody's promise.
func (c *Contract) Check(method, path string, body []byte, answer Answer) error {
	operation := c.operation(method, path)
	if c == nil || operation == nil || answer.Status == http.StatusMethodNotAllowed {
		return nil
	}
	response := c.follow(dig(operation, "responses", strconv.Itoa(answer.Status)))
	if response == nil {
		return fmt.Errorf("the answer %d is not documented", answer.Status)
	}
	if answer.Status < 300 && len(body) > 0 {
		if err := c.fits(dig(operation, "requestBody", "content", "application/json", "schema"), body, "the body"); err != nil {
			return err
		}
	}
	content, _ := response["content"].(map[string]any)
	if len(answer.Body) == 0 && len(content) == 0 {
		return nil
	}
	if content[answer.Type] == nil {
		return fmt.Errorf("%d answers %s, documented are %v", answer.Status, answer.Type, slices.Collect(maps.Keys(content)))
	}
	if !strings.HasSuffix(answer.Type, "json") {
		return nil
	}
	return c.fits(dig(content, answer.Type, "schema"), answer.Body, "the answer")
}

// operation is the one behind a path; nil when there is none.
func (c *Contract) operation(method, path string) map[string]any {
	if c == nil {
		return nil
	}
	asked, _, _ := strings.Cut(path, "?")
	parts := strings.Split(asked, "/")
	paths, _ := c.document["paths"].(map[string]any)
	for template := range paths {
		named := strings.Split(template, "/")
		same := func(i int) bool { return named[i] == parts[i] || strings.HasPrefix(named[i], "{") && parts[i] != "" }
		if len(named) != len(parts) || slices.ContainsFunc(indexes(len(parts)), func(i int) bool { return !same(i) }) {
			continue
		}
		if operation := dig(paths, template, strings.ToLower(method)); operation != nil {
			return operation
		}
	}
	return nil
}

func (c *Contract) fits(schema map[string]any, text []byte, what string) error {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return c.match(schema, value, what)
}

// match is the part of JSON Schema that the document uses. A property that is not described is an error: the document names them all.
func (c *Contract) match(schema map[string]any, value any, at string) error {
	schema = c.follow(schema)
	if ways := list(schema, "oneOf"); ways != nil {
		var first error
		for _, way := range ways {
			err := c.match(way, value, at)
			if err == nil {
				return nil
			}
			if first == nil || dig(way)["type"] != "null" {
				first = err
			}
		}
		return first
	}
	if !slices.ContainsFunc(types(schema), func(name string) bool { return isA(name, value) }) && types(schema) != nil {
		return fmt.Errorf("%s: %v is no %v", at, value, types(schema))
	}
	if words, ok := schema["enum"].([]any); ok && !slices.Contains(words, value) {
		return fmt.Errorf("%s: %v is none of %v", at, value, words)
	}
	switch value := value.(type) {
	case []any:
		for i, item := range value {
			if err := c.match(dig(schema, "items"), item, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	case map[string]any:
		return c.matchObject(schema, value, at)
	}
	return nil
}

func (c *Contract) matchObject(schema, value map[string]any, at string) error {
	properties, required := map[string]any{}, []any{}
	c.collect(schema, properties, &required)
	for _, name := range required {
		if _, there := value[name.(string)]; !there {
			return fmt.Errorf("%s: %v is required", at, name)
		}
	}
	if len(properties) == 0 {
		return nil // a free object
	}
	for name, inner := range value {
		described, ok := properties[name].(map[string]any)
		if !ok {
			return fmt.Errorf("%s.%s is not documented", at, name)
		}
		if err := c.match(described, inner, at+"."+name); err != nil {
			return err
		}
	}
	return nil
}

// collect adds up the properties of a schema and of all it is made of.
func (c *Contract) collect(schema, properties map[string]any, required *[]any) {
	schema = c.follow(schema)
	maps.Copy(properties, dig(schema, "properties"))
	more, _ := schema["required"].([]any)
	*required = append(*required, more...)
	for _, part := range list(schema, "allOf") {
		c.collect(part, properties, required)
	}
}

func (c *Contract) follow(schema map[string]any) map[string]any {
	reference, ok := schema["$ref"].(string)
	if !ok {
		return schema
	}
	return dig(c.document, strings.Split(strings.TrimPrefix(reference, "#/"), "/")...)
}

func dig(from map[string]any, names ...string) map[string]any {
	for _, name := range names {
		from, _ = from[name].(map[string]any)
	}
	return from
}

func list(schema map[string]any, name string) []map[string]any {
	items, _ := schema[name].([]any)
	var out []map[string]any
	for _, item := range items {
		if inner, ok := item.(map[string]any); ok {
			out = append(out, inner)
		}
	}
	return out
}

func types(schema map[string]any) []string {
	switch named := schema["type"].(type) {
	case string:
		return []string{named}
	case []any:
		var out []string
		for _, name := range named {
			out = append(out, fmt.Sprint(name))
		}
		return out
	}
	return nil
}

func isA(name string, value any) bool {
	switch value := value.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case float64:
		return name == "number" || name == "integer" && value == float64(int64(value))
	case []any:
		return name == "array"
	default:
		return name == "object"
	}
}

func indexes(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
