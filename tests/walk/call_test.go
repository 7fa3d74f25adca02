package walk

import (
	"strings"
	"testing"
)

var calling = []step{
	{"before both have accepted the notice nobody may call", callWithoutConsent},
	{"a video call: invited, ringing on two devices, accepted on one", invite},
	{"offer, answer and candidates are relayed as they are, then both are connected", negotiate},
	{"the doctor's line breaks and his device takes the call up again", attach},
	{"the doctor hangs up and the outcome is an entry", hangUp},
	{"a voice call is refused, and one is taken back", rejectAndCancel},
	{"a device that is more than 50 entries behind is told so and pulls", farBehind},
}

func call(id string, kind string, content M) M {
	return M{"call": M{"call": id, kind: content}}
}

func (s *story) inviteFrom(t *testing.T, d *Device, media string) string {
	t.Helper()
	id := s.dice.UUIDv7()
	d.Do(t, call(id, "invite", M{"conversation": s.conversation, "media": media}))
	return id
}

func callWithoutConsent(s *story, t *testing.T) {
	id := s.inviteFrom(t, s.patient, "CALL_MEDIA_VIDEO")
	s.patient.Socket.AwaitError(t, id, s.conversation, "consent_required")
	for _, d := range []*Device{s.patient, s.doctor} {
		notice := s.consent(t, "av_notice")
		given := M{"version": notice["version"], "text_hash": notice["text_hash"]}
		d.API.JSON(t, "POST", "/api/consultations/"+s.consultation+"/av-consent", given).Want(t, 200, nil)
		s.patient.Socket.AwaitEntry(t, "consent entry av_notice", s.conversation, func(b *Body) bool {
			return b.Consent != nil && b.Consent.Kind == "av_notice" && b.Consent.User == d.Session.User.ID
		})
	}
	if view := s.see(t, s.patient); view.AvConsent == nil || !view.AvConsent.Patient || !view.AvConsent.Doctor {
		t.Fatalf("%+v", view.AvConsent)
	}
}

func invite(s *story, t *testing.T) {
	s.callID = s.inviteFrom(t, s.patient, "CALL_MEDIA_VIDEO")
	ringing := s.patient.Socket.AwaitCall(t, s.callID, "snapshot", func(c *CallEvent) bool { return c.Snapshot != nil }).Snapshot
	if ringing.Phase != "PHASE_RINGING" || ringing.DeadlineMs == 0 {
		t.Fatalf("%+v", ringing)
	}
	for _, d := range []*Device{s.doctor, s.phone} {
		event := d.Socket.AwaitCall(t, s.callID, "incoming", func(c *CallEvent) bool { return c.Incoming != nil })
		if in := event.Incoming; in.From != s.patient.Session.User.ID || in.Media != "CALL_MEDIA_VIDEO" || in.DeadlineMs != ringing.DeadlineMs || event.Conversation != s.conversation {
			t.Fatalf("%+v", event)
		}
		d.Do(t, call(s.callID, "ringing", M{}))
		at := s.patient.Socket.AwaitCall(t, s.callID, "ringing", func(c *CallEvent) bool { return c.Ringing != nil }).Ringing
		if at.Device != d.ID {
			t.Fatalf("rings at %s", at.Device)
		}
	}
	s.doctor.Do(t, call(s.callID, "signal", M{"offerSdp": description("a=setup:actpass")}))
	s.doctor.Socket.AwaitError(t, s.callID, s.conversation, "call_not_answered")
	s.patient.Do(t, call(s.callID, "accept", M{}))
	s.patient.Socket.AwaitError(t, s.callID, s.conversation, "call_wrong_party")
	second := s.inviteFrom(t, s.patient, "CALL_MEDIA_VOICE")
	s.patient.Socket.AwaitError(t, second, s.conversation, "call_in_progress")

	s.doctor.Do(t, call(s.callID, "accept", M{}))
	elsewhere := s.phone.Socket.AwaitCall(t, s.callID, "elsewhere", func(c *CallEvent) bool { return c.Elsewhere != nil }).Elsewhere
	if elsewhere.Device != s.doctor.ID || !elsewhere.Accepted {
		t.Fatalf("%+v", elsewhere)
	}
	for _, d := range []*Device{s.patient, s.doctor} {
		started := s.awaitStarted(t, d)
		if started.Device != s.doctor.ID || started.Media != "CALL_MEDIA_VIDEO" || started.Polite != (d == s.doctor) {
			t.Fatalf("%+v", started)
		}
	}
	accepted := s.patient.Socket.AwaitEntry(t, "the accepted entry", s.conversation, func(b *Body) bool {
		return b.CallAccepted != nil && b.CallAccepted.Call == s.callID
	})
	if accepted.Sender != s.doctorCard.UserID || accepted.Body.CallAccepted.Device != s.doctor.ID {
		t.Fatalf("%+v", accepted)
	}
}

func (s *story) awaitStarted(t *testing.T, d *Device) *CallStarted {
	t.Helper()
	return d.Socket.AwaitCall(t, s.callID, "started", func(c *CallEvent) bool { return c.Started != nil }).Started
}

// description is a session description of one audio and one video section.
func description(setup string) string {
	lines := []string{
		"v=0", "o=- 4611731400430051336 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1",
		"a=ice-ufrag:wAlk", "a=ice-pwd:sKzrE7rCXgE2vJfPq1bYt0Lw",
		"a=fingerprint:sha-256 " + strings.TrimSuffix(strings.Repeat("7B:", 32), ":"), setup,
		"m=audio 9 UDP/TLS/RTP/SAVPF 111", "c=IN IP4 0.0.0.0", "a=mid:0", "a=sendrecv", "a=rtcp-mux", "a=rtpmap:111 opus/48000/2",
		"m=video 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=mid:1", "a=sendrecv", "a=rtcp-mux", "a=rtpmap:96 VP8/90000",
	}
	return strings.Join(lines, "\r\n") + "\r\n"
}

func negotiate(s *story, t *testing.T) {
	relay := func(from, to *Device, signal M, same func(*CallSignal) bool) {
		t.Helper()
		from.Do(t, call(s.callID, "signal", signal))
		heard := to.Socket.AwaitCall(t, s.callID, "signal", func(c *CallEvent) bool { return c.Signal != nil }).Signal
		if !same(heard) {
			t.Fatalf("sent %v, the other side heard %+v", signal, heard)
		}
	}
	offer, answer := description("a=setup:actpass"), description("a=setup:active")
	relay(s.patient, s.doctor, M{"offerSdp": offer}, func(c *CallSignal) bool { return c.OfferSdp == offer })
	relay(s.doctor, s.patient, M{"answerSdp": answer}, func(c *CallSignal) bool { return c.AnswerSdp == answer })
	text := "candidate:1 1 udp 2130706431 10.0.1.1 8998 typ host"
	trickled := func(c *CallSignal) bool {
		return c.Candidate != nil && c.Candidate.Candidate == text && c.Candidate.SdpMid == "0"
	}
	last := func(c *CallSignal) bool { return c.Candidate != nil && c.Candidate.Candidate == "" }
	for _, way := range [][2]*Device{{s.patient, s.doctor}, {s.doctor, s.patient}} {
		relay(way[0], way[1], M{"candidate": M{"candidate": text, "sdpMid": "0", "sdpMLineIndex": 0}}, trickled)
		relay(way[0], way[1], M{"candidate": M{"candidate": "", "sdpMid": "0"}}, last)
	}

	s.patient.Do(t, call(s.callID, "signal", M{"offerSdp": "v=0\r\nno description\r\n"}))
	s.patient.Socket.AwaitError(t, s.callID, s.conversation, "call_signal_malformed")
	s.phone.Do(t, call(s.callID, "signal", M{"offerSdp": offer}))
	s.phone.Socket.AwaitError(t, s.callID, s.conversation, "call_other_device")

	connected := M{"state": "STATE_CONNECTED", "roundTripMs": 20, "lossPermille": 1}
	for _, way := range [][2]*Device{{s.patient, s.doctor}, {s.doctor, s.patient}} {
		way[0].Do(t, call(s.callID, "connection", connected))
		peer := way[1].Socket.AwaitCall(t, s.callID, "peerConnection", func(c *CallEvent) bool { return c.PeerConnection != nil }).PeerConnection
		if peer.State != "STATE_CONNECTED" {
			t.Fatalf("%+v", peer)
		}
	}
	s.doctor.Do(t, call(s.callID, "iceRequest", M{}))
	s.doctor.Socket.AwaitCall(t, s.callID, "ice", func(c *CallEvent) bool { return c.Ice != nil })
}

func attach(s *story, t *testing.T) {
	s.doctor.Socket.Cut()
	s.doctor.Connect(t, s.binary)
	s.doctor.Do(t, call(s.callID, "attach", M{"mediaKept": true}))
	snapshot := s.doctor.Socket.AwaitCall(t, s.callID, "snapshot", func(c *CallEvent) bool { return c.Snapshot != nil }).Snapshot
	if snapshot.Phase != "PHASE_ACTIVE" || !snapshot.Polite || snapshot.Media != "CALL_MEDIA_VIDEO" {
		t.Fatalf("%+v", snapshot)
	}
	s.doctor.Do(t, call(s.callID, "mediaChange", M{"media": "CALL_MEDIA_VOICE"}))
	for _, d := range []*Device{s.patient, s.doctor} {
		changed := d.Socket.AwaitCall(t, s.callID, "mediaChanged", func(c *CallEvent) bool { return c.MediaChanged != nil }).MediaChanged
		if changed.Media != "CALL_MEDIA_VOICE" || changed.By != s.doctorCard.UserID {
			t.Fatalf("%+v", changed)
		}
	}
	s.doctor.Do(t, call(s.callID, "mediaChange", M{"media": "CALL_MEDIA_VIDEO"}))
	s.doctor.Socket.AwaitError(t, s.callID, s.conversation, "call_media_not_allowed")
}
