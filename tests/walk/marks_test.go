package walk

import (
	"fmt"
	"testing"
)

var marks = []step{
	{"delivered and read marks reach the other side and never go back", deliveredAndRead},
	{"the patient sends a ping and asks for nothing it may not have", pingAndLimits},
}

func (s *story) awaitMarks(t *testing.T, d *Device, of string, delivered, read uint64) {
	t.Helper()
	d.Socket.Await(t, fmt.Sprintf("marks %d/%d", delivered, read), func(e *Event) bool {
		return e.Marks != nil && e.Marks.Conversation == s.conversation && e.Marks.User == of &&
			e.Marks.DeliveredSeq == delivered && e.Marks.ReadSeq == read
	})
}

func deliveredAndRead(s *story, t *testing.T) {
	head := s.patient.Notes.Of(s.conversation).Head()
	unread := s.listed(t).Unread
	if unread == 0 {
		t.Fatal("the doctor spoke and nothing is unread for the patient")
	}
	mark := func(kind string, upTo uint64) M {
		return M{kind: M{"conversation": s.conversation, "upToSeq": fmt.Sprint(upTo)}}
	}
	patient := s.patient.Session.User.ID
	s.patient.Do(t, mark("delivered", head-2))
	s.awaitMarks(t, s.doctor, patient, head-2, 0)
	s.awaitMarks(t, s.patient, patient, head-2, 0)
	s.patient.Do(t, mark("read", head-1))
	s.awaitMarks(t, s.doctor, patient, head-1, head-1)
	s.patient.Do(t, mark("read", 1), mark("read", head+1000))
	s.awaitMarks(t, s.doctor, patient, head, head)
	if unread = s.listed(t).Unread; unread != 0 {
		t.Fatalf("all is read and %d are unread", unread)
	}
	s.doctor.Do(t, M{"pull": M{"conversation": s.conversation, "limit": 1}})
	s.awaitMarks(t, s.doctor, patient, head, head)
}

// listed is the consultation as the patient's list shows it.
func (s *story) listed(t *testing.T) consultationView {
	t.Helper()
	var page struct {
		Items []consultationView `json:"items"`
	}
	s.patient.API.JSON(t, "GET", "/api/consultations?page_size=50", nil).Want(t, 200, &page)
	for _, item := range page.Items {
		if item.ID == s.consultation {
			return item
		}
	}
	t.Fatal("the consultation is not in the patient's list")
	return consultationView{}
}

func pingAndLimits(s *story, t *testing.T) {
	s.patient.Do(t, M{"ping": M{"nonce": "7"}})
	pong := s.patient.Socket.Await(t, "pong", func(e *Event) bool { return e.Pong != nil }).Pong
	if pong.Nonce != 7 || pong.ServerTimeMs == 0 {
		t.Fatalf("%+v", pong)
	}
	s.patient.Do(t, M{"pull": M{"conversation": s.conversation, "fromSeq": "1", "limit": 201}})
	s.patient.Socket.AwaitError(t, "", s.conversation, "invalid_field")
	s.patient.Do(t, M{"pull": M{"conversation": s.conversation, "fromSeq": "2", "limit": 3}})
	page := s.patient.Socket.Await(t, "page", func(e *Event) bool { return e.Page != nil && e.Page.FromSeq == 2 }).Page
	if len(page.Entries) != 3 || page.Entries[0].Seq != 2 {
		t.Fatalf("%+v", page)
	}
	forged := M{"conversation": s.conversation, "fromSeq": "2", "limit": 3, "hashPrefix": "AAAAAAAAAAA="}
	s.patient.Do(t, M{"pull": forged})
	changed := s.patient.Socket.Await(t, "historyChanged", func(e *Event) bool { return e.HistoryChanged != nil }).HistoryChanged
	if changed.Conversation != s.conversation || changed.Head.Seq != s.patient.Notes.Of(s.conversation).Head() {
		t.Fatalf("%+v", changed)
	}
}
