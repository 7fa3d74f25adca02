package walk

import (
	"fmt"
	"strings"
	"testing"
)

var comingBack = []step{
	{"the doctor's line breaks, the patient goes on, the doctor resumes and misses nothing", resume},
	{"a message whose acknowledgement was lost is sent again and stands once", resendAfterBreak},
	{"a new installation pulls the whole history page by page", newInstallation},
	{"a cursor that is not the server's history is told so", forkedCursor},
	{"a newer token of the same session is taken, a forged one is not", refreshToken},
	{"the hash chain verifies by the documented rule, and a changed entry does not", verifyChain},
}

func resume(s *story, t *testing.T) {
	before := s.doctor.Notes.Of(s.conversation).Head()
	s.doctor.Socket.Cut()
	var head uint64
	for i := range 12 {
		id := s.dice.UUIDv7()
		text := fmt.Sprintf("医生不在时第%d句", i+1)
		s.patient.Do(t, Say(s.conversation, id, Words(text)))
		sent := s.patient.Socket.AwaitSent(t, id)
		head = sent.Seq
		s.talk = append(s.talk, spoken{s.patient, id, sent.Seq, text})
	}
	s.doctor.Connect(t, s.binary)
	if held := s.doctor.Notes.Of(s.conversation).Head(); held != before {
		t.Fatalf("held %d after a reconnect without resume, %d before", held, before)
	}
	s.doctor.Do(t, M{"resume": M{"cursors": []M{s.doctor.Notes.Of(s.conversation).Cursor(s.conversation)}}})
	found := s.awaitHeadOf(t, s.doctor)
	if found.Seq != head || len(found.HashPrefix) != 8 {
		t.Fatalf("%+v", found)
	}
	s.doctor.Socket.AwaitHead(t, s.conversation, head)
	if pulls := s.doctor.Socket.Pulls(s.conversation); pulls != 0 {
		t.Fatalf("behind by %d and the page did not come by itself", head-before)
	}
	s.patient.Socket.AwaitHead(t, s.conversation, head)
	s.sameHistory(t, s.patient, s.doctor)
	s.talkIsThere(t, s.doctor)
}

// farBehind: more than 50 entries come by pulling, not by themselves.
func farBehind(s *story, t *testing.T) {
	history := s.doctor.Notes.Of(s.conversation)
	head := history.Head()
	if head <= 51 {
		t.Fatalf("the story has only %d entries so far", head)
	}
	account, _ := s.server.account(t, "doctor", 2)
	tablet := NewDevice(s.server.base, s.dice.UUIDv7())
	tablet.SignIn(t, "staff/login", M{"account": account, "password": s.server.password(t)})
	tablet.Connect(t, s.binary)
	cursor := M{"conversation": s.conversation, "seq": "1", "hashPrefix": history.At(1).Hash[:8]}
	tablet.Do(t, M{"resume": M{"cursors": []M{cursor}}}, M{"ping": M{"nonce": "51"}})
	if found := s.awaitHeadOf(t, tablet); found.Seq != head {
		t.Fatalf("%+v", found)
	}
	answered := tablet.Socket.Await(t, "pong or page", func(e *Event) bool { return e.Pong != nil || e.Page != nil })
	if answered.Page != nil {
		t.Fatalf("behind by %d and a page came unasked", head-1)
	}
	tablet.Notes.Of(s.conversation).Add(history.At(1))
	tablet.Do(t, PullNext(&tablet.Notes, s.conversation, 200))
	tablet.Socket.AwaitHead(t, s.conversation, head)
	s.sameHistory(t, s.doctor, tablet)
	tablet.Socket.Cut()
}

func (s *story) awaitHeadOf(t *testing.T, d *Device) Head {
	t.Helper()
	heads := d.Socket.Await(t, "heads", func(e *Event) bool { return e.Heads != nil }).Heads
	for _, head := range heads.Heads {
		if head.Conversation == s.conversation {
			return head
		}
	}
	t.Fatalf("the conversation is not among the heads: %+v", heads)
	return Head{}
}

func resendAfterBreak(s *story, t *testing.T) {
	id, text := s.dice.UUIDv7(), "这句只应出现一次"
	s.patient.Do(t, Say(s.conversation, id, Words(text)))
	s.patient.Socket.Cut()
	s.patient.Connect(t, JSON{})
	s.patient.Do(t, M{"resume": M{"cursors": []M{s.patient.Notes.Of(s.conversation).Cursor(s.conversation)}}})
	s.patient.Do(t, Say(s.conversation, id, Words(text)))
	sent := s.patient.Socket.AwaitSent(t, id)
	s.talk = append(s.talk, spoken{s.patient, id, sent.Seq, text})
	after := s.deliver(t, s.patient, s.doctor, Words("收到了吗？"))
	s.patient.Socket.AwaitHead(t, s.conversation, after.Seq)
	times := 0
	for _, entry := range s.doctor.Notes.Of(s.conversation).All() {
		if entry.Body != nil && entry.Body.Text != nil && entry.Body.Text.Text == text {
			times++
		}
	}
	if times != 1 {
		t.Fatalf("stands %d times", times)
	}
	s.sameHistory(t, s.patient, s.doctor)
}

func newInstallation(s *story, t *testing.T) {
	account, _ := s.server.account(t, "doctor", 2)
	tablet := NewDevice(s.server.base, s.dice.UUIDv7())
	tablet.SignIn(t, "staff/login", M{"account": account, "password": s.server.password(t)})
	tablet.Connect(t, s.binary)
	tablet.Do(t, M{"resume": M{}})
	head := s.awaitHeadOf(t, tablet)
	tablet.Do(t, PullNext(&tablet.Notes, s.conversation, 10))
	tablet.Socket.AwaitHead(t, s.conversation, head.Seq)
	s.sameHistory(t, s.doctor, tablet)
	tablet.API.JSON(t, "POST", "/api/auth/logout", nil).Want(t, 204, nil)
	tablet.Socket.AwaitClose(t, 4004, "revoked")
}

func forkedCursor(s *story, t *testing.T) {
	cursor := s.doctor.Notes.Of(s.conversation).Cursor(s.conversation)
	cursor["hashPrefix"] = "AAAAAAAAAAA="
	nobodys := M{"conversation": s.dice.UUIDv7(), "seq": "1"}
	s.doctor.Do(t, M{"resume": M{"cursors": []M{cursor, nobodys}}})
	changed := s.doctor.Socket.Await(t, "historyChanged", func(e *Event) bool { return e.HistoryChanged != nil }).HistoryChanged
	if changed.Conversation != s.conversation || changed.Head.Seq != s.doctor.Notes.Of(s.conversation).Head() {
		t.Fatalf("%+v", changed)
	}
	s.doctor.Socket.AwaitError(t, "", nobodys["conversation"].(string), "unknown_conversation")
}

func refreshToken(s *story, t *testing.T) {
	old := s.patient.Session
	var renewed Session
	s.patient.API.JSON(t, "POST", "/api/auth/refresh", M{"refresh_token": nil}).Want(t, 200, &renewed)
	if renewed.SessionID != old.SessionID || renewed.AccessExpiresAt < old.AccessExpiresAt {
		t.Fatalf("%+v after %+v", renewed, old)
	}
	head, _, _ := strings.Cut(renewed.AccessToken, ".")
	s.patient.Do(t, M{"refresh": M{"accessToken": head + ".e30.c2ln"}})
	s.patient.Socket.AwaitError(t, "", "", "unauthenticated")
	s.patient.Do(t, M{"refresh": M{"accessToken": s.doctor.Session.AccessToken}})
	s.patient.Socket.AwaitError(t, "", "", "unauthenticated")
	s.patient.Do(t, M{"refresh": M{"accessToken": renewed.AccessToken}})
	until := s.patient.Socket.Await(t, "refreshed", func(e *Event) bool { return e.Refreshed != nil }).Refreshed
	if until.TokenExpiresAtMs != renewed.AccessExpiresAt {
		t.Fatalf("holds until %d, the session said %d", until.TokenExpiresAtMs, renewed.AccessExpiresAt)
	}
	s.patient.Session, s.patient.API.Token = renewed, renewed.AccessToken
}
