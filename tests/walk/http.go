package walk

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
)

// API is HTTP in the name of one person, or of nobody while the token is empty.
type API struct {
	Base  string
	Token string
}

// Answer is what came back, whatever it is.
type Answer struct {
	Status int
	Type   string
	Body   []byte
}

// Problem is a refusal (RFC 9457).
type Problem struct {
	Code         string `json:"code"`
	Status       int    `json:"status"`
	Title        string `json:"title"`
	Type         string `json:"type"`
	RequestID    string `json:"request_id"`
	Temporary    bool   `json:"temporary"`
	RetryAfterMs int64  `json:"retry_after_ms"`
	Fields       []struct {
		Path string `json:"path"`
		Code string `json:"code"`
	} `json:"fields"`
}

// Raw asks with any body; headers come as name, value, name, value. The answer is compared with the published contract.
func (a *API) Raw(t *testing.T, method, path string, body []byte, headers ...string) Answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, a.Base+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if a.Token != "" {
		request.Header.Set("Authorization", "Bearer "+a.Token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{Timeout: Patience}
	response, err := client.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	answer := Answer{response.StatusCode, strings.Split(response.Header.Get("Content-Type"), ";")[0], content}
	sent := body
	if !strings.HasPrefix(request.Header.Get("Content-Type"), "application/json") {
		sent = nil
	}
	if err := published.Check(method, path, sent, answer); err != nil {
		t.Errorf("%s %s is not as /api/openapi.json says: %v", method, path, err)
	}
	return answer
}

// JSON asks with a JSON body, or none when body is nil.
func (a *API) JSON(t *testing.T, method, path string, body any, headers ...string) Answer {
	t.Helper()
	if body == nil {
		return a.Raw(t, method, path, nil, headers...)
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return a.Raw(t, method, path, text, append(headers, "Content-Type", "application/json")...)
}

// Want asserts the status and reads the answer into `into`, unless that is nil.
func (a Answer) Want(t *testing.T, status int, into any) {
	t.Helper()
	if a.Status != status {
		t.Fatalf("status %d, documented is %d: %s", a.Status, status, a.Body)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(a.Body, into); err != nil {
		t.Fatalf("%s: %v", a.Body, err)
	}
}

// Refused asserts a problem document with this status and code.
func (a Answer) Refused(t *testing.T, status int, code string) Problem {
	t.Helper()
	var problem Problem
	a.Want(t, status, &problem)
	if a.Type != "application/problem+json" || problem.Code != code || problem.Status != status || problem.RequestID == "" {
		t.Fatalf("%s, documented is %d %s: %s", a.Type, status, code, a.Body)
	}
	return problem
}

// Upload posts one attachment; mime is the type of the file's part.
func (a *API) Upload(t *testing.T, kind, name, mime string, content []byte) Answer {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.WriteField("kind", kind); err != nil {
		t.Fatal(err)
	}
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="file"; filename="` + name + `"`},
		"Content-Type":        {mime},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(content)
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	return a.Raw(t, http.MethodPost, "/api/uploads", body.Bytes(), "Content-Type", form.FormDataContentType())
}
