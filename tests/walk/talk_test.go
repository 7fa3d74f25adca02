package walk

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"
)

// spoken is a message that was acknowledged.
type spoken struct {
	by   *Device
	id   string
	seq  uint64
	text string
}

var talking = []step{
	{"ten messages each way at once: acknowledged, in order, dense, the same for both", tenEachWay},
	{"the same id again answers the same place; with another body it is a conflict", repeatMessages},
	{"an answer refers to an entry; typing goes to the other and is not stored", replyAndTyping},
	{"a message is recalled by its sender only", recall},
}

func tenEachWay(s *story, t *testing.T) {
	sides := []*Device{s.patient, s.doctor}
	messages := map[*Device][]spoken{}
	for i := range 10 {
		for _, side := range sides {
			m := spoken{by: side, id: s.dice.UUIDv7(), text: fmt.Sprintf("第%d句 %s", i+1, s.dice.Phrase(1+i*3))}
			messages[side] = append(messages[side], m)
			side.Do(t, Say(s.conversation, m.id, Words(m.text)))
		}
	}
	before := s.patient.Notes.Of(s.conversation).Head()
	taken := map[uint64]bool{}
	var head uint64
	for _, side := range sides {
		var last uint64
		for i := range messages[side] {
			m := &messages[side][i]
			sent := side.Socket.AwaitSent(t, m.id)
			if sent.Seq <= last || taken[sent.Seq] || sent.Conversation != s.conversation || sent.Durability != "DURABILITY_FSYNC" {
				t.Fatalf("message %d after seq %d: %+v", i+1, last, sent)
			}
			m.seq, last, taken[sent.Seq], head = sent.Seq, sent.Seq, true, max(head, sent.Seq)
			side.Socket.AwaitHead(t, s.conversation, sent.Seq)
			if entry := side.Notes.Of(s.conversation).At(sent.Seq); !bytes.Equal(entry.Hash, sent.Hash) || entry.AtMs != sent.AtMs {
				t.Fatalf("sent %+v and entry %+v differ", sent, entry)
			}
		}
		s.talk = append(s.talk, messages[side]...)
	}
	if len(taken) != 20 || head < before {
		t.Fatalf("%d places for 20 messages", len(taken))
	}
	for _, side := range []*Device{s.patient, s.doctor, s.phone} {
		side.Socket.AwaitHead(t, s.conversation, head)
	}
	s.sameHistory(t, s.patient, s.doctor, s.phone)
	s.talkIsThere(t, s.patient)
}

// talkIsThere checks sender, role and words of everything that was acknowledged so far.
func (s *story) talkIsThere(t *testing.T, d *Device) {
	t.Helper()
	for _, m := range s.talk {
		entry := d.Notes.Of(s.conversation).At(m.seq)
		role := map[string]string{"patient": "SENDER_ROLE_PATIENT", "doctor": "SENDER_ROLE_DOCTOR"}[m.by.Session.User.Role]
		if entry.ID != m.id || entry.Sender != m.by.Session.User.ID || entry.SenderRole != role || entry.Body.Text == nil || entry.Body.Text.Text != m.text {
			t.Fatalf("seq %d is %+v, said was %+v", m.seq, entry, m)
		}
	}
}

// sameHistory: dense from 1 and equal, entry by entry, on every device.
func (s *story) sameHistory(t *testing.T, devices ...*Device) {
	t.Helper()
	first := devices[0].Notes.Of(s.conversation).All()
	for i, entry := range first {
		if entry.Seq != uint64(i)+1 || len(entry.Hash) != 32 {
			t.Fatalf("place %d holds %+v", i+1, entry)
		}
	}
	for _, d := range devices[1:] {
		if fault := d.Notes.Of(s.conversation).Fault(); fault != nil {
			t.Fatal(fault)
		}
		if other := d.Notes.Of(s.conversation).All(); !reflect.DeepEqual(first, other) {
			t.Fatalf("two devices hold different histories:\n%+v\n%+v", first, other)
		}
	}
}

func repeatMessages(s *story, t *testing.T) {
	head := s.patient.Notes.Of(s.conversation).Head()
	for _, m := range []spoken{s.talk[1], s.talk[1], s.talk[len(s.talk)-1]} {
		m.by.Do(t, Say(s.conversation, m.id, Words(m.text)))
		entry := m.by.Notes.Of(s.conversation).At(m.seq)
		if sent := m.by.Socket.AwaitSent(t, m.id); sent.Seq != m.seq || sent.AtMs != entry.AtMs || !bytes.Equal(sent.Hash, entry.Hash) {
			t.Fatalf("the repeat of seq %d was answered %+v", m.seq, sent)
		}
		m.by.Do(t, Say(s.conversation, m.id, Words(m.text+"！")))
		refusal := m.by.Socket.AwaitError(t, m.id, s.conversation, "id_conflict")
		if refusal.Temporary {
			t.Fatalf("%+v", refusal)
		}
	}
	s.patient.Do(t, M{"pull": M{"conversation": s.conversation}})
	page := s.patient.Socket.Await(t, "page", func(e *Event) bool { return e.Page != nil }).Page
	if page.HeadSeq != head {
		t.Fatalf("repeats moved the head from %d to %d", head, page.HeadSeq)
	}
}

func replyAndTyping(s *story, t *testing.T) {
	question := s.talk[len(s.talk)-1]
	s.patient.Do(t, M{"typing": M{"conversation": s.conversation, "active": true}})
	typing := s.doctor.Socket.Await(t, "typing", func(e *Event) bool { return e.Typing != nil }).Typing
	if typing.User != s.patient.Session.User.ID || typing.Conversation != s.conversation || !typing.Active {
		t.Fatalf("%+v", typing)
	}
	id := s.dice.UUIDv7()
	body := M{"text": M{"text": "是的，饭后半小时。", "replyToSeq": fmt.Sprint(question.seq)}}
	s.patient.Do(t, Say(s.conversation, id, body))
	seq := s.patient.Socket.AwaitSent(t, id).Seq
	s.doctor.Socket.AwaitHead(t, s.conversation, seq)
	if text := s.doctor.Notes.Of(s.conversation).At(seq).Body.Text; text == nil || text.ReplyToSeq != question.seq {
		t.Fatalf("%+v", text)
	}
}

func recall(s *story, t *testing.T) {
	slip, gone := s.dice.UUIDv7(), s.dice.UUIDv7()
	s.patient.Do(t, Say(s.conversation, slip, Words("发错了")))
	seq := s.patient.Socket.AwaitSent(t, slip).Seq
	body := M{"recall": M{"seq": fmt.Sprint(seq)}}

	notHis := s.dice.UUIDv7()
	s.doctor.Do(t, Say(s.conversation, notHis, body))
	s.doctor.Socket.AwaitError(t, notHis, s.conversation, "not_recallable")

	s.patient.Do(t, Say(s.conversation, gone, body))
	recalled := s.patient.Socket.AwaitSent(t, gone).Seq
	for _, d := range []*Device{s.patient, s.doctor} {
		d.Socket.AwaitHead(t, s.conversation, recalled)
		if entry := d.Notes.Of(s.conversation).At(recalled); entry.Body.Recall == nil || entry.Body.Recall.Seq != seq {
			t.Fatalf("%+v", entry)
		}
	}
}
