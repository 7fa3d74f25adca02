package walk

import "testing"

var doctorComes = []step{
	{"the patient watches the doctor, who is not there", watchDoctor},
	{"while the patient waits only the patient may speak", speakWhileWaiting},
	{"the doctor signs in, opens a socket in the binary form and is seen online", doctorSignsIn},
	{"the doctor accepts and reads what was said before by filling the gap", doctorAccepts},
}

func watchDoctor(s *story, t *testing.T) {
	s.patient.Do(t, M{"watchPresence": M{"users": []string{s.doctorCard.UserID}}})
	if s.awaitPresence(t).Online {
		t.Fatal("the doctor is online before signing in")
	}
}

func (s *story) awaitPresence(t *testing.T) *Presence {
	t.Helper()
	return s.patient.Socket.Await(t, "presence of the doctor", func(e *Event) bool {
		return e.Presence != nil && e.Presence.User == s.doctorCard.UserID
	}).Presence
}

func speakWhileWaiting(s *story, t *testing.T) {
	id := s.dice.UUIDv7()
	s.patient.Do(t, Say(s.conversation, id, Words("补充一点：最近常喝咖啡。")))
	sent := s.patient.Socket.AwaitSent(t, id)
	s.patient.Socket.AwaitHead(t, s.conversation, sent.Seq)
	s.talk = append(s.talk, spoken{s.patient, id, sent.Seq, "补充一点：最近常喝咖啡。"})
}

func doctorSignsIn(s *story, t *testing.T) {
	account, name := s.server.account(t, "doctor", 2)
	wrong := M{"account": account, "password": "no-" + s.server.password(t), "device": M{"id": s.doctor.ID, "label": "walk · Go"}}
	s.doctor.API.JSON(t, "POST", "/api/auth/staff/login", wrong).Refused(t, 401, "credentials_wrong")
	for _, device := range []*Device{s.doctor, s.phone} {
		device.SignIn(t, "staff/login", M{"account": account, "password": s.server.password(t)})
	}
	if user := s.doctor.Session.User; user.ID != s.doctorCard.UserID || user.Role != "doctor" || user.Name != name {
		t.Fatalf("signed in as %+v", user)
	}
	if welcome := s.doctor.Connect(t, s.binary); welcome.User != s.doctorCard.UserID {
		t.Fatalf("%+v", welcome)
	}
	s.phone.Connect(t, JSON{})
	if !s.awaitPresence(t).Online {
		t.Fatal("the doctor has a socket and is told offline")
	}
}

func doctorAccepts(s *story, t *testing.T) {
	var waiting struct {
		Items []consultationView `json:"items"`
	}
	s.doctor.API.JSON(t, "GET", "/api/doctor/consultations?list=waiting", nil).Want(t, 200, &waiting)
	found := false
	for _, item := range waiting.Items {
		found = found || item.ID == s.consultation && item.Can["accept"]
	}
	if !found {
		t.Fatalf("not in the waiting list: %+v", waiting)
	}
	picture := s.doctor.API.Raw(t, "GET", "/api/attachments/"+s.pictureID, nil)
	picture.Want(t, 200, nil)
	if string(picture.Body) != string(s.picture) {
		t.Fatal("the doctor sees another picture than the patient")
	}

	early := s.dice.UUIDv7()
	s.doctor.Do(t, Say(s.conversation, early, Words("您好")))
	s.doctor.Socket.AwaitError(t, early, s.conversation, "unknown_conversation")

	s.patient.API.JSON(t, "POST", "/api/consultations/"+s.consultation+"/accept", M{}).Refused(t, 403, "not_permitted")
	var view consultationView
	s.doctor.API.JSON(t, "POST", "/api/consultations/"+s.consultation+"/accept", M{}).Want(t, 200, &view)
	if view.State != "in_progress" || !view.Can["message"] {
		t.Fatalf("%+v", view)
	}
	isOpen := func(b *Body) bool { return b.Consultation != nil && b.Consultation.State == "STATE_OPEN" }
	for _, d := range []*Device{s.patient, s.doctor, s.phone} {
		open := d.Socket.AwaitEntry(t, "the opening", s.conversation, isOpen)
		d.Socket.AwaitHead(t, s.conversation, open.Seq)
		if open.Body.Consultation.Reason != "accepted" {
			t.Fatalf("%+v", open.Body.Consultation)
		}
	}
	joined := s.doctor.Socket.AwaitEntry(t, "the doctor's joining", s.conversation, func(b *Body) bool { return b.Membership != nil })
	if m := joined.Body.Membership; m.User != s.doctorCard.UserID || m.Change != "CHANGE_JOINED" || m.VisibleFrom != 1 {
		t.Fatalf("%+v", m)
	}
	if s.doctor.Socket.Pulls(s.conversation) == 0 {
		t.Fatal("the doctor holds what was said before he joined without having pulled it")
	}
	s.sameHistory(t, s.patient, s.doctor, s.phone)
}
