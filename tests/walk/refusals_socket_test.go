package walk

import (
	"bytes"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

var refusedOnSocket = []step{
	{"closed: a forged token, a device that is no UUID, something before hello, nothing at all", badHello},
	{"closed: what is no record of the schema, in either form", malformedFrames},
	{"closed: a frame that is too large", largeFrame},
	{"closed: the oldest of more than twelve sockets", tooManySockets},
	{"refused on a living socket: other people's conversations", strangerSocket},
	{"refused on a living socket: unknown commands and values out of bounds", badValues},
	{"refused on a living socket: too much too fast", tooFast},
}

func badHello(s *story, t *testing.T) {
	long := s.other.Hello()
	long["hello"].(M)["client"] = strings.Repeat("x", 65)
	cases := []struct {
		first  M
		number websocket.StatusCode
		name   string
	}{
		{M{"hello": M{"accessToken": "wz1.e30.c2ln", "device": s.other.ID}}, 4002, "unauthenticated"},
		{M{"hello": M{"accessToken": s.other.Session.AccessToken, "device": "telephone"}}, 4005, "malformed"},
		{long, 4005, "malformed"},
		{M{"ping": M{"nonce": "1"}}, 4006, "hello_expected"},
		{nil, 4001, "hello_timeout"},
	}
	for _, framing := range []Framing{JSON{}, s.binary} {
		for _, c := range cases {
			s.other.Dial(t, framing)
			if c.first != nil {
				s.other.Do(t, c.first)
			} else if framing != (JSON{}) {
				s.other.Socket.Cut()
				continue
			}
			s.other.Socket.AwaitClose(t, c.number, c.name)
		}
	}
	s.other.Connect(t, JSON{})
	s.other.Do(t, s.other.Hello())
	s.other.Socket.AwaitError(t, "", "", "already_authenticated")
}

func malformedFrames(s *story, t *testing.T) {
	ping, err := s.binary.Encode(M{"ping": M{"nonce": "7"}})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(ping, []byte{0x04, 0x52, 0x02, 0x08, 0x07}) {
		t.Fatalf("the documented ping is 04 52 02 08 07, this is % x", ping)
	}
	text := func(s string) []byte { return []byte(s) }
	cases := []struct {
		framing Framing
		kind    websocket.MessageType
		frame   []byte
	}{
		{JSON{}, websocket.MessageText, text(`{"ping":`)},
		{JSON{}, websocket.MessageText, text(`[]`)},
		{JSON{}, websocket.MessageText, text(`{"ping":{"nonce":"1"},"pull":{"conversation":"x"}}`)},
		{JSON{}, websocket.MessageText, text(`{"ping":{"nonce":true}}`)},
		{JSON{}, websocket.MessageText, text(`{"ping":{"nonce":"18446744073709551616"}}`)},
		{JSON{}, websocket.MessageText, text(`{"call":{"call":"x","invite":{"media":"CALL_MEDIA_SMELL"}}}`)},
		{JSON{}, websocket.MessageBinary, ping},
		{s.binary, websocket.MessageText, text(`{"ping":{}}`)},
		{s.binary, websocket.MessageBinary, []byte{0xff, 0xff, 0xff, 0xff}},
		{s.binary, websocket.MessageBinary, ping[:3]},
		{s.binary, websocket.MessageBinary, bytes.Repeat(ping, 65)},
	}
	for _, c := range cases {
		s.other.Connect(t, c.framing)
		if err := s.other.Socket.Raw(c.kind, c.frame); err != nil {
			t.Fatal(err)
		}
		s.other.Socket.AwaitClose(t, 4005, "malformed")
	}
}

func largeFrame(s *story, t *testing.T) {
	s.other.Connect(t, JSON{})
	frame := `{"ping":{"nonce":"1"}` + strings.Repeat(" ", 65536) + `}`
	_ = s.other.Socket.Raw(websocket.MessageText, []byte(frame))
	s.other.Socket.AwaitClose(t, 1009, "too_big")
}

func tooManySockets(s *story, t *testing.T) {
	s.other.Connect(t, JSON{})
	oldest := s.other.Socket
	for range 12 {
		s.other.Connect(t, JSON{})
		defer s.other.Socket.Cut()
	}
	oldest.AwaitClose(t, 4010, "replaced")
}

func strangerSocket(s *story, t *testing.T) {
	s.other.Connect(t, s.binary)
	head := s.patient.Notes.Of(s.conversation).Head()
	for _, conversation := range []string{s.conversation, s.dice.UUIDv7()} {
		id, ring := s.dice.UUIDv7(), s.dice.UUIDv7()
		named := M{"conversation": conversation}
		s.other.Do(t,
			Say(conversation, id, Words("偷看")),
			M{"pull": named},
			call(ring, "invite", M{"conversation": conversation, "media": "CALL_MEDIA_VOICE"}),
		)
		s.other.Socket.AwaitError(t, id, conversation, "unknown_conversation")
		s.other.Socket.AwaitError(t, "", conversation, "unknown_conversation")
		s.other.Socket.AwaitError(t, ring, conversation, "unknown_conversation")
		s.other.Do(t, M{"read": M{"conversation": conversation, "upToSeq": "1"}})
		s.other.Socket.AwaitError(t, "", conversation, "unknown_conversation")
	}
	s.other.Do(t, M{"watchPresence": M{"users": []string{s.patient.Session.User.ID}}})
	presence := s.other.Socket.Await(t, "presence", func(e *Event) bool { return e.Presence != nil }).Presence
	if presence.Online {
		t.Fatal("a stranger is told that the patient is online")
	}
	if now := s.patient.Notes.Of(s.conversation).Head(); now != head {
		t.Fatalf("the head moved from %d to %d", head, now)
	}
}

func badValues(s *story, t *testing.T) {
	s.patient.Do(t, M{"teleport": M{}})
	s.patient.Socket.AwaitError(t, "", "", "unknown_command")
	s.patient.Do(t, M{})
	s.patient.Socket.AwaitError(t, "", "", "unknown_command")
	bodies := []struct {
		body M
		code string
	}{
		{Words(strings.Repeat("长", 4001)), "invalid_field"},
		{Words("   "), "invalid_field"},
		{Words("a\x00b"), "invalid_field"},
		{M{"notice": M{"code": "x"}}, "server_only"},
		{M{"consultation": M{"state": "STATE_CLOSED"}}, "server_only"},
		{M{"image": M{"attachment": s.dice.UUIDv7()}}, "unknown_attachment"},
		{M{"recall": M{"seq": "1"}}, "not_recallable"},
	}
	for _, c := range bodies {
		id := s.dice.UUIDv7()
		s.patient.Do(t, Say(s.conversation, id, c.body))
		s.patient.Socket.AwaitError(t, id, s.conversation, c.code)
	}
	s.patient.Do(t, Say(s.conversation, "no-uuid", Words("x")))
	s.patient.Socket.AwaitError(t, "no-uuid", s.conversation, "invalid_field")
	users := make([]string, 201)
	for i := range users {
		users[i] = s.dice.UUIDv7()
	}
	s.patient.Do(t, M{"watchPresence": M{"users": users}})
	s.patient.Socket.AwaitError(t, "", "", "too_many")
}

func tooFast(s *story, t *testing.T) {
	s.other.Connect(t, s.binary)
	pings := make([]M, 50)
	for i := range pings {
		pings[i] = M{"ping": M{"nonce": "1"}}
	}
	s.other.Do(t, pings...)
	s.other.Do(t, pings...)
	s.other.Do(t, pings...)
	s.other.Do(t, pings...)
	refusal := s.other.Socket.AwaitError(t, "", "", "rate_limited")
	if !refusal.Temporary || refusal.RetryAfterMs == 0 {
		t.Fatalf("%+v", refusal)
	}
}
