package walk

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image/jpeg"
	"net/url"
	"strconv"
	"testing"
)

var ordering = []step{
	{"the patient uploads a picture for the intake", uploadIntakePicture},
	{"the patient reads the notices; their hashes are right", readNotices},
	{"without the consents nothing is ordered", orderWithoutConsents},
	{"the patient orders; the same key answers the same, another body conflicts", orderConsultation},
	{"the patient pays at the demo cashier and the conversation begins", pay},
}

// attachment is the answer of an upload.
type attachment struct {
	ID           string `json:"id"`
	Kind         string `json:"kind"`
	Mime         string `json:"mime"`
	Bytes        int    `json:"bytes"`
	WidthPx      uint32 `json:"width_px"`
	HeightPx     uint32 `json:"height_px"`
	DurationMs   uint32 `json:"duration_ms"`
	URL          string `json:"url"`
	ThumbnailURL string `json:"thumbnail_url"`
}

func uploadIntakePicture(s *story, t *testing.T) {
	content, err := Picture(320, 200, 90)
	if err != nil {
		t.Fatal(err)
	}
	var stored attachment
	s.patient.API.Upload(t, "image", "stomach.jpg", "image/jpeg", content).Want(t, 201, &stored)
	if stored.Kind != "image" || stored.Mime != "image/jpeg" || stored.WidthPx != 320 || stored.HeightPx != 200 {
		t.Fatalf("%+v", stored)
	}
	served := s.patient.API.Raw(t, "GET", stored.URL, nil)
	served.Want(t, 200, nil)
	shown, err := jpeg.DecodeConfig(bytes.NewReader(served.Body))
	if err != nil || shown.Width != 320 || shown.Height != 200 || len(served.Body) != stored.Bytes {
		t.Fatalf("served %+v, %d bytes, %v", shown, len(served.Body), err)
	}
	s.pictureID, s.picture = stored.ID, served.Body
}

func readNotices(s *story, t *testing.T) {
	var notices []struct {
		Kind     string `json:"kind"`
		Version  string `json:"version"`
		Text     string `json:"text"`
		TextHash string `json:"text_hash"`
	}
	nobody := API{Base: s.server.base}
	nobody.JSON(t, "GET", "/api/notices", nil).Want(t, 200, &notices)
	for _, notice := range notices {
		if sum := sha256.Sum256([]byte(notice.Text)); hex.EncodeToString(sum[:]) != notice.TextHash {
			t.Fatalf("%s: the hash is not the text's", notice.Kind)
		}
		s.consents = append(s.consents, M{"kind": notice.Kind, "version": notice.Version, "text_hash": notice.TextHash})
	}
	s.consent(t, "scope_notice")
	s.consent(t, "informed_consent")
	s.consent(t, "av_notice")
}

func (s *story) consent(t *testing.T, kind string) M {
	t.Helper()
	for _, consent := range s.consents {
		if consent["kind"] == kind {
			return consent
		}
	}
	t.Fatalf("no notice %s", kind)
	return nil
}

func (s *story) orderForm(t *testing.T) M {
	t.Helper()
	return M{
		"doctor_id": s.doctorCard.ID, "kind": "advice", "channel": "video",
		"price_fen": s.doctorCard.price("advice", "video"),
		"consents":  []M{s.consent(t, "scope_notice"), s.consent(t, "informed_consent")},
		"intake": M{
			"symptoms": "上腹部不适两周", "description": "饭后明显，无发热，夜间不痛", "onset": "两周前",
			"attachments": []string{s.pictureID},
		},
	}
}

func orderWithoutConsents(s *story, t *testing.T) {
	form := s.orderForm(t)
	form["consents"] = []M{s.consent(t, "scope_notice")}
	s.patient.API.JSON(t, "POST", "/api/consultations", form).Refused(t, 409, "consent_required")
	form = s.orderForm(t)
	form["price_fen"] = 1
	s.patient.API.JSON(t, "POST", "/api/consultations", form).Refused(t, 409, "price_changed")
}

func orderConsultation(s *story, t *testing.T) {
	key := s.dice.UUIDv7()
	var made, again consultationView
	order := func(form M) Answer {
		return s.patient.API.JSON(t, "POST", "/api/consultations", form, "Idempotency-Key", key)
	}
	order(s.orderForm(t)).Want(t, 201, &made)
	if made.State != "created" || !made.Can["pay"] || made.Order.State != "unpaid" || made.ConversationID != nil {
		t.Fatalf("%+v", made)
	}
	if len(made.Intake.Attachments) != 1 || made.Intake.Attachments[0] != s.pictureID {
		t.Fatalf("the picture is not in the intake: %+v", made.Intake)
	}
	order(s.orderForm(t)).Want(t, 201, &again)
	if again.ID != made.ID || again.Order.ID != made.Order.ID {
		t.Fatalf("a repeat made %s beside %s", again.ID, made.ID)
	}
	changed := s.orderForm(t)
	changed["intake"].(M)["onset"] = "昨天"
	order(changed).Refused(t, 409, "idempotency_conflict")
	s.consultation, s.order = made.ID, made.Order.ID
}

func pay(s *story, t *testing.T) {
	welcome := s.patient.Connect(t, JSON{})
	if welcome.User != s.patient.Session.User.ID || welcome.Session != s.patient.Session.SessionID || welcome.RecordBytesMax != 65536 {
		t.Fatalf("%+v", welcome)
	}
	var started struct {
		CashierURL string `json:"cashier_url"`
	}
	s.patient.API.JSON(t, "POST", "/api/orders/"+s.order+"/payments", M{"channel": "wechat"}).Want(t, 201, &started)
	form := url.Values{"action": {"pay"}}.Encode()
	s.patient.API.Raw(t, "POST", started.CashierURL, []byte(form), "Content-Type", "application/x-www-form-urlencoded").Want(t, 200, nil)

	first := s.patient.Socket.Await(t, "the first entry of the conversation", func(e *Event) bool {
		return e.Entry != nil && e.Entry.Body != nil && e.Entry.Body.Consultation != nil && e.Entry.Body.Consultation.Consultation == s.consultation
	}).Entry
	if first.Seq != 1 || first.Sender != "" || first.Body.Consultation.State != "STATE_WAITING" {
		t.Fatalf("%+v %+v", first, first.Body.Consultation)
	}
	view := s.awaitState(t, s.patient, "paid_waiting")
	if view.ConversationID == nil || *view.ConversationID != first.Conversation || view.Order.State != "paid" {
		t.Fatalf("%+v", view)
	}
	s.conversation = first.Conversation
	s.patient.API.JSON(t, "POST", "/api/orders/"+s.order+"/payments", M{"channel": "wechat"}).Refused(t, 409, "order_paid")
	for _, kind := range []string{"scope_notice", "informed_consent"} {
		entry := s.patient.Socket.AwaitEntry(t, "consent entry "+kind, s.conversation, func(b *Body) bool {
			return b.Consent != nil && b.Consent.Kind == kind
		})
		if hex.EncodeToString(entry.Body.Consent.TextHash) != s.consent(t, kind)["text_hash"] || entry.Body.Consent.User != s.patient.Session.User.ID {
			t.Fatalf("%+v", entry.Body.Consent)
		}
	}
}

func atoi(t *testing.T, digits string) int {
	t.Helper()
	n, err := strconv.Atoi(digits)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
