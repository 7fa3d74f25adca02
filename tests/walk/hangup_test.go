package walk

import "testing"

func hangUp(s *story, t *testing.T) {
	s.doctor.Do(t, call(s.callID, "hangUp", M{}))
	s.awaitOver(t, s.callID, "CALL_END_REASON_HUNG_UP", s.doctor, s.patient, s.doctor, s.phone)
	ended := s.awaitEnded(t, s.callID)
	if ended.Media != "CALL_MEDIA_VOICE" || ended.ConnectedMs == 0 || ended.Gaps != 0 {
		t.Fatalf("%+v", ended)
	}
	s.doctor.Do(t, call(s.callID, "hangUp", M{}))
	s.doctor.Socket.AwaitError(t, s.callID, s.conversation, "call_not_live")
}

// awaitOver waits for the end of a call on all these devices.
func (s *story) awaitOver(t *testing.T, id, reason string, by *Device, devices ...*Device) {
	t.Helper()
	for _, d := range devices {
		over := d.Socket.AwaitCall(t, id, "over", func(c *CallEvent) bool { return c.Over != nil }).Over
		if over.Reason != reason || over.By != by.Session.User.ID {
			t.Fatalf("%+v", over)
		}
	}
	ended := s.awaitEnded(t, id)
	if ended.Reason != reason || ended.By != by.Session.User.ID {
		t.Fatalf("%+v", ended)
	}
}

func (s *story) awaitEnded(t *testing.T, id string) *CallEnded {
	t.Helper()
	return s.patient.Socket.AwaitEntry(t, "the ended entry", s.conversation, func(b *Body) bool {
		return b.CallEnded != nil && b.CallEnded.Call == id
	}).Body.CallEnded
}

func rejectAndCancel(s *story, t *testing.T) {
	rings := func(c *CallEvent) bool { return c.Incoming != nil }
	refused := s.inviteFrom(t, s.patient, "CALL_MEDIA_VOICE")
	s.doctor.Socket.AwaitCall(t, refused, "incoming", rings)
	s.doctor.Do(t, call(refused, "reject", M{"reason": "later"}))
	s.awaitOver(t, refused, "CALL_END_REASON_REJECTED", s.doctor, s.patient)

	taken := s.inviteFrom(t, s.doctor, "CALL_MEDIA_VOICE")
	s.patient.Socket.AwaitCall(t, taken, "incoming", rings)
	s.doctor.Do(t, call(taken, "cancel", M{}))
	s.awaitOver(t, taken, "CALL_END_REASON_CANCELLED", s.doctor, s.doctor)
	s.patient.Do(t, call(taken, "accept", M{}))
	s.patient.Socket.AwaitError(t, taken, s.conversation, "call_not_live")

	never := s.dice.UUIDv7()
	s.patient.Do(t, call(never, "attach", M{}))
	refusal := s.patient.Socket.Await(t, "error", func(e *Event) bool { return e.Error != nil && e.Error.Re == never }).Error
	if refusal.Code != "unknown_call" {
		t.Fatalf("%+v", refusal)
	}
}
