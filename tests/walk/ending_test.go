package walk

import (
	"bytes"
	"net/url"
	"testing"
)

var ending = []step{
	{"the doctor cannot end without a record", endWithoutRecord},
	{"the doctor writes the record; an older version conflicts", writeRecord},
	{"the doctor ends and the conversation closes for both", endConsultation},
	{"the patient reads the signed record and downloads the PDF", readRecord},
	{"the patient reviews once, and the review is shown after moderation", review},
	{"the chain of the whole consultation verifies", verifyChain},
	{"the patient signs out: the socket closes and the token is worth nothing", signOut},
}

// record is what the walk reads of one.
type record struct {
	Version     int64    `json:"version"`
	Missing     []string `json:"missing"`
	Impression  *string  `json:"impression"`
	Advice      string   `json:"advice"`
	CompletedAt *int64   `json:"completed_at"`
	SignedHash  *string  `json:"signed_hash"`
}

func (s *story) path(tail string) string { return "/api/consultations/" + s.consultation + tail }

func endWithoutRecord(s *story, t *testing.T) {
	problem := s.doctor.API.JSON(t, "POST", s.path("/end"), nil).Refused(t, 409, "record_incomplete")
	if len(problem.Fields) == 0 {
		t.Fatalf("what is missing is not told: %+v", problem)
	}
	s.patient.API.JSON(t, "GET", s.path("/record.pdf"), nil).Refused(t, 404, "not_found")
	s.patient.API.JSON(t, "POST", s.path("/reviews"), M{"score": 5}).Refused(t, 409, "wrong_state")
}

func writeRecord(s *story, t *testing.T) {
	var draft record
	s.doctor.API.JSON(t, "GET", s.path("/record"), nil).Want(t, 200, &draft)
	if draft.Version != 0 || len(draft.Missing) == 0 {
		t.Fatalf("%+v", draft)
	}
	form := M{"version": 0, "impression": "功能性消化不良可能"}
	s.doctor.API.JSON(t, "PUT", s.path("/record"), form).Want(t, 200, &draft)
	if len(draft.Missing) != 1 || draft.Missing[0] != "advice" {
		t.Fatalf("%+v", draft)
	}
	form["advice"] = "规律饮食，少喝咖啡；两周不好转请到门诊做胃镜。"
	s.doctor.API.JSON(t, "PUT", s.path("/record"), form).Refused(t, 409, "version_conflict")
	form["version"] = draft.Version
	draft = record{}
	s.doctor.API.JSON(t, "PUT", s.path("/record"), form).Want(t, 200, &draft)
	if len(draft.Missing) != 0 || draft.SignedHash != nil {
		t.Fatalf("%+v", draft)
	}
	s.patient.API.JSON(t, "GET", s.path("/record"), nil).Refused(t, 404, "not_found")
}

func endConsultation(s *story, t *testing.T) {
	s.patient.API.JSON(t, "POST", s.path("/end"), nil).Refused(t, 403, "not_permitted")
	s.doctor.API.JSON(t, "POST", s.path("/end"), nil).Want(t, 200, nil)
	for _, d := range []*Device{s.patient, s.doctor} {
		closed := d.Socket.AwaitEntry(t, "the closing", s.conversation, func(b *Body) bool {
			return b.Consultation != nil && b.Consultation.State == "STATE_CLOSED"
		})
		if closed.Sender != "" || closed.Body.Consultation.Reason != "ended" {
			t.Fatalf("%+v", closed.Body.Consultation)
		}
		id := s.dice.UUIDv7()
		d.Do(t, Say(s.conversation, id, Words("还有一句")))
		d.Socket.AwaitError(t, id, s.conversation, "conversation_closed")
	}
	view := s.awaitState(t, s.patient, "ended")
	if !view.Can["review"] || view.Can["message"] || view.Record == nil {
		t.Fatalf("%+v", view)
	}
	s.doctor.API.JSON(t, "POST", s.path("/end"), nil).Refused(t, 409, "wrong_state")
	form := M{"version": 2, "impression": "改口", "advice": "改口"}
	s.doctor.API.JSON(t, "PUT", s.path("/record"), form).Refused(t, 409, "record_signed")
}

func readRecord(s *story, t *testing.T) {
	var signed record
	s.patient.API.JSON(t, "GET", s.path("/record"), nil).Want(t, 200, &signed)
	if signed.SignedHash == nil || len(*signed.SignedHash) != 64 || signed.CompletedAt == nil || signed.Impression == nil || *signed.Impression != "功能性消化不良可能" {
		t.Fatalf("%+v", signed)
	}
	pdf := s.patient.API.Raw(t, "GET", s.path("/record.pdf"), nil)
	pdf.Want(t, 200, nil)
	if pdf.Type != "application/pdf" || !bytes.HasPrefix(pdf.Body, []byte("%PDF-")) || !bytes.Contains(pdf.Body[len(pdf.Body)-64:], []byte("%%EOF")) {
		t.Fatalf("%s, %d bytes", pdf.Type, len(pdf.Body))
	}
	s.other.API.JSON(t, "GET", s.path("/record.pdf"), nil).Refused(t, 404, "not_found")
	var lines struct {
		Items []struct {
			ConsultationID string `json:"consultation_id"`
		} `json:"items"`
	}
	s.patient.API.JSON(t, "GET", "/api/records", nil).Want(t, 200, &lines)
	if len(lines.Items) == 0 || lines.Items[0].ConsultationID != s.consultation {
		t.Fatalf("%+v", lines)
	}
}

func review(s *story, t *testing.T) {
	text := "讲得很清楚，" + s.dice.Phrase(6)
	var own struct {
		State string `json:"state"`
		Score int    `json:"score"`
	}
	s.patient.API.JSON(t, "POST", s.path("/reviews"), M{"score": 6, "text": text}).Refused(t, 422, "invalid_field")
	s.patient.API.JSON(t, "POST", s.path("/reviews"), M{"score": 5, "text": text, "tags": []string{}}).Want(t, 201, &own)
	if own.State != "pending" || own.Score != 5 {
		t.Fatalf("%+v", own)
	}
	s.patient.API.JSON(t, "POST", s.path("/reviews"), M{"score": 1}).Refused(t, 409, "already_reviewed")

	account, _ := s.server.account(t, "reviewer", 0)
	reviewer := NewDevice(s.server.base, s.dice.UUIDv7())
	reviewer.SignIn(t, "staff/login", M{"account": account, "password": s.server.password(t)})
	type reviews struct {
		Items []struct {
			ID          string `json:"id"`
			Text        string `json:"text"`
			AuthorLabel string `json:"author_label"`
		} `json:"items"`
	}
	var pending, before, after reviews
	shown := "/api/doctors/" + url.PathEscape(s.doctorCard.ID) + "/reviews"
	s.other.API.JSON(t, "GET", shown, nil).Want(t, 200, &before)
	reviewer.API.JSON(t, "GET", "/api/admin/reviews?state=pending&page_size=50", nil).Want(t, 200, &pending)
	for _, item := range pending.Items {
		if item.Text == text {
			reviewer.API.JSON(t, "POST", "/api/admin/reviews/"+item.ID+"/show", nil).Want(t, 204, nil)
		}
	}
	s.other.API.JSON(t, "GET", shown, nil).Want(t, 200, &after)
	if len(after.Items) != len(before.Items)+1 || after.Items[0].Text != text || after.Items[0].AuthorLabel != "匿名用户" {
		t.Fatalf("before %+v, after %+v", before, after)
	}
}

func signOut(s *story, t *testing.T) {
	s.patient.API.JSON(t, "POST", "/api/auth/logout", nil).Want(t, 204, nil)
	s.patient.Socket.AwaitClose(t, 4004, "revoked")
	s.patient.API.JSON(t, "GET", "/api/me", nil).Refused(t, 401, "session_revoked")
	s.patient.Dial(t, JSON{})
	s.patient.Do(t, s.patient.Hello())
	s.patient.Socket.AwaitClose(t, 4004, "revoked")
}
