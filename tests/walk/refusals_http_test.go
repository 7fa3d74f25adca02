package walk

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

var refusals = append([]step{
	{"refused over HTTP: no token, a forged token", forgedToken},
	{"refused over HTTP: another patient sees nothing of it", strangerHTTP},
	{"refused over HTTP: broken JSON, a wrong value, a wrong type, too much, a wrong method", brokenHTTP},
	{"refused over HTTP: uploads that are not what they say", brokenUploads},
	{"refused before the upgrade: an unknown subprotocol, a foreign origin", refusedUpgrade},
}, refusedOnSocket...)

func forgedToken(s *story, t *testing.T) {
	nobody := API{Base: s.server.base}
	nobody.JSON(t, "GET", "/api/me", nil).Refused(t, 401, "unauthenticated")
	parts := strings.Split(s.patient.Session.AccessToken, ".")
	signature := strings.Repeat("A", len(parts[2]))
	forged := API{Base: s.server.base, Token: parts[0] + "." + parts[1] + "." + signature}
	forged.JSON(t, "GET", "/api/me", nil).Refused(t, 401, "unauthenticated")
	for range 20 {
		// A large upload is refused while it is still being sent, and the refusal is heard.
		forged.Upload(t, "image", "large.jpg", "image/jpeg", make([]byte, 4<<20)).Refused(t, 401, "unauthenticated")
	}
	mixed := API{Base: s.server.base, Token: parts[0] + "." + strings.Split(s.doctor.Session.AccessToken, ".")[1] + "." + parts[2]}
	mixed.JSON(t, "GET", "/api/consultations/"+s.consultation, nil).Refused(t, 401, "unauthenticated")
}

func strangerHTTP(s *story, t *testing.T) {
	phone, _ := s.server.account(t, "patient", 1)
	s.other.SignIn(t, "login", M{"phone": phone, "password": s.server.password(t)})
	if s.other.Session.User.ID == s.patient.Session.User.ID {
		t.Fatal("two accounts are one person")
	}
	never := s.dice.UUIDv7()
	paths := map[string]string{
		"/api/consultations/{}":            s.consultation,
		"/api/consultations/{}/record":     s.consultation,
		"/api/consultations/{}/record.pdf": s.consultation,
		"/api/conversations/{}/entries":    s.conversation,
		"/api/conversations/{}/transcript": s.conversation,
	}
	for path, living := range paths {
		for _, id := range []string{living, never} {
			s.other.API.JSON(t, "GET", strings.ReplaceAll(path, "{}", id), nil).Refused(t, 404, "not_found")
		}
	}
	s.other.API.JSON(t, "GET", "/api/orders/"+s.order, nil).Refused(t, 404, "not_found")
	s.other.API.JSON(t, "GET", "/api/attachments/"+s.pictureID, nil).Refused(t, 404, "not_found")
	s.other.API.JSON(t, "GET", "/api/doctor/counts", nil).Refused(t, 403, "not_permitted")
}

func brokenHTTP(s *story, t *testing.T) {
	api, path := s.patient.API, "/api/consultations"
	api.Raw(t, "POST", path, []byte("{"), "Content-Type", "application/json").Refused(t, 400, "malformed")
	api.Raw(t, "POST", path, []byte("{}"), "Content-Type", "text/plain").Refused(t, 415, "unsupported_media_type")
	large := append(append([]byte(`{"kind":"`), bytes.Repeat([]byte("a"), 300_000)...), `"}`...)
	api.Raw(t, "POST", path, large, "Content-Type", "application/json").Refused(t, 413, "too_large")
	wrong := s.orderForm(t)
	wrong["channel"] = "telepathy"
	problem := api.JSON(t, "POST", path, wrong).Refused(t, 422, "invalid_field")
	if len(problem.Fields) != 1 || problem.Fields[0].Path != "channel" {
		t.Fatalf("%+v", problem.Fields)
	}
	problem = api.JSON(t, "GET", "/api/doctors?channel=telepathy", nil).Refused(t, 422, "invalid_field")
	if len(problem.Fields) != 1 || problem.Fields[0].Path != "channel" {
		t.Fatalf("%+v", problem.Fields)
	}
	api.JSON(t, "DELETE", "/api/me", nil).Refused(t, 405, "method_not_allowed")
	api.JSON(t, "GET", "/api/nothing-here", nil).Refused(t, 404, "not_found")
}

func brokenUploads(s *story, t *testing.T) {
	api := s.patient.API
	api.Upload(t, "image", "x.jpg", "image/jpeg", []byte("this is no picture, whatever it is called")).Refused(t, 415, "unsupported_media_type")
	api.Upload(t, "image", "x.jpg", "application/octet-stream", s.picture).Refused(t, 415, "attachment_type_mismatch")
	api.Upload(t, "voice", "x.wav", "image/jpeg", s.picture).Refused(t, 415, "unsupported_media_type")
	api.Upload(t, "voice", "x.wav", "audio/wav", Sound(62_000)).Refused(t, 422, "attachment_too_long")
	api.Upload(t, "voice", "x.wav", "audio/wav", make([]byte, 2<<20+1)).Refused(t, 413, "too_large")
	api.Upload(t, "video", "x.jpg", "image/jpeg", s.picture).Refused(t, 422, "invalid_field")
	api.Upload(t, "image", "x.jpg", "image/jpeg", s.picture[:len(s.picture)/20]).Refused(t, 422, "attachment_undecodable")
}

func refusedUpgrade(s *story, t *testing.T) {
	cases := []struct {
		origin, subprotocol string
		status              int
	}{
		{"", "", http.StatusBadRequest},
		{"", "wenzhen.v9.json", http.StatusBadRequest},
		{"https://elsewhere.example", "wenzhen.v1.json", http.StatusForbidden},
		{s.server.base, "wenzhen.v1.json", http.StatusSwitchingProtocols},
	}
	for _, c := range cases {
		conn, response, err := Dial(t.Context(), s.patient.address, c.origin, c.subprotocol)
		if err == nil {
			conn.Close(websocket.StatusNormalClosure, "")
		}
		if response == nil || response.StatusCode != c.status {
			t.Fatalf("origin %q, subprotocol %q: documented is %d, got %v %v", c.origin, c.subprotocol, c.status, response, err)
		}
	}
}
