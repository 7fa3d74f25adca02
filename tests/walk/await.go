package walk

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// until waits, event by event, for something to be so; `look` runs under the lock of the inbox.
func (s *Socket) until(t *testing.T, what string, look func() bool) {
	t.Helper()
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	for {
		s.mu.Lock()
		done, ended, wake := look(), s.ended, s.wake
		s.mu.Unlock()
		if done {
			return
		}
		if ended != nil {
			t.Fatalf("the socket ended while waiting for %s: %v", what, ended)
		}
		select {
		case <-wake:
		case <-deadline.C:
			s.mu.Lock()
			unread, _ := json.Marshal(s.inbox)
			s.mu.Unlock()
			t.Fatalf("no %s within %v; unread: %s", what, Patience, unread)
		}
	}
}

// Await takes the first event that fits out of the inbox; the others stay, in order.
func (s *Socket) Await(t *testing.T, what string, fits func(*Event) bool) *Event {
	t.Helper()
	var found *Event
	s.until(t, what, func() bool {
		for i, event := range s.inbox {
			if fits(event) {
				found = event
				s.inbox = append(s.inbox[:i:i], s.inbox[i+1:]...)
				return true
			}
		}
		return false
	})
	return found
}

// AwaitHead waits until the history of a conversation is held up to seq, without a gap.
func (s *Socket) AwaitHead(t *testing.T, conversation string, seq uint64) {
	t.Helper()
	history := s.notes.Of(conversation)
	s.until(t, "history", func() bool { return history.Head() >= seq })
	if err := history.Fault(); err != nil {
		t.Fatal(err)
	}
}

// AwaitEntry waits for an entry in the stored history and returns it.
func (s *Socket) AwaitEntry(t *testing.T, what, conversation string, fits func(*Body) bool) Entry {
	t.Helper()
	var found Entry
	s.until(t, what, func() bool {
		for _, entry := range s.notes.Of(conversation).All() {
			if entry.Body != nil && fits(entry.Body) {
				found = entry
				return true
			}
		}
		return false
	})
	return found
}

// AwaitError waits for the refusal of a message, a call (`re`) or, with an empty re, a command of a conversation.
func (s *Socket) AwaitError(t *testing.T, re, conversation, code string) *Refusal {
	t.Helper()
	refusal := s.answer(t, "error "+code, code, func(e *Event) bool {
		return e.Error != nil && e.Error.Re == re && e.Error.Conversation == conversation
	}).Error
	if refusal.Code != code || refusal.Message == "" {
		t.Fatalf("refused with %+v, documented is %s", *refusal, code)
	}
	return refusal
}

// answer awaits the answer to a command. A message that was refused for now is sent again, with the same id,
// after the time the server names, as section 10 has it; unless that refusal is what is looked for.
func (s *Socket) answer(t *testing.T, what, wanted string, fits func(*Event) bool) *Event {
	t.Helper()
	for {
		event := s.Await(t, what, fits)
		if event.Error == nil || !event.Error.Temporary || event.Error.Code == wanted {
			return event
		}
		s.mu.Lock()
		draft, is := s.sends[event.Error.Re]
		s.mu.Unlock()
		if !is {
			return event
		}
		<-time.After(time.Duration(event.Error.RetryAfterMs) * time.Millisecond)
		if err := s.Send(draft); err != nil {
			t.Fatal(err)
		}
	}
}

// AwaitClose waits for the server to close and checks number and name.
func (s *Socket) AwaitClose(t *testing.T, number websocket.StatusCode, name string) {
	t.Helper()
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	for {
		s.mu.Lock()
		ended, wake := s.ended, s.wake
		s.mu.Unlock()
		if ended != nil {
			checkClose(t, ended, number, name)
			return
		}
		select {
		case <-wake:
		case <-deadline.C:
			t.Fatalf("not closed with %d within %v", number, Patience)
		}
	}
}

func checkClose(t *testing.T, ended error, number websocket.StatusCode, name string) {
	t.Helper()
	var frame websocket.CloseError
	if !errors.As(ended, &frame) || frame.Code != number || closeName(frame.Reason) != name {
		t.Fatalf("closed with %v, documented is %d %s", ended, number, name)
	}
}

// AwaitSent waits for the acknowledgement of a message.
func (s *Socket) AwaitSent(t *testing.T, id string) *Sent {
	t.Helper()
	event := s.answer(t, "sent for "+id, "", func(e *Event) bool {
		return e.Sent != nil && e.Sent.ID == id || e.Error != nil && e.Error.Re == id
	})
	if event.Error != nil {
		t.Fatalf("message %s was refused: %+v", id, *event.Error)
	}
	return event.Sent
}

// AwaitCall waits for an event of a call.
func (s *Socket) AwaitCall(t *testing.T, call, what string, fits func(*CallEvent) bool) *CallEvent {
	t.Helper()
	return s.Await(t, what, func(e *Event) bool {
		return e.Call != nil && e.Call.Call == call && fits(e.Call)
	}).Call
}

// Hint waits until anything comes over the socket, or this long.
func (s *Socket) Hint(atMost time.Duration) {
	s.mu.Lock()
	wake := s.wake
	s.mu.Unlock()
	select {
	case <-wake:
	case <-time.After(atMost):
	}
}
