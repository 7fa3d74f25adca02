package walk

import (
	"fmt"
	"net/url"
	"regexp"
	"testing"
	"time"
)

// DoctorCard is what a list shows of a doctor.
type DoctorCard struct {
	ID        string `json:"id"`
	UserID    string `json:"user_id"`
	Name      string `json:"name"`
	Accepting bool   `json:"accepting"`
	Prices    []struct {
		Kind      string `json:"kind"`
		Channel   string `json:"channel"`
		AmountFen int64  `json:"amount_fen"`
	} `json:"prices"`
}

func (c DoctorCard) price(kind, channel string) int64 {
	for _, price := range c.Prices {
		if price.Kind == kind && price.Channel == channel {
			return price.AmountFen
		}
	}
	return 0
}

var signIn = []step{
	{"the patient asks for a code by SMS, and too soon for another", askForCode},
	{"the patient signs in with the code from the SMS inbox", signInBySMS},
	{"the patient finds the doctor by name and sees the price", findDoctor},
}

func askForCode(s *story, t *testing.T) {
	phone, _ := s.server.account(t, "patient", 0)
	wish := M{"phone": phone, "purpose": "login"}
	var requested struct {
		ExpiresInS   int64 `json:"expires_in_s"`
		ResendAfterS int64 `json:"resend_after_s"`
	}
	s.patient.API.JSON(t, "POST", "/api/auth/sms-codes", wish).Want(t, 202, &requested)
	if requested.ExpiresInS <= 0 || requested.ResendAfterS <= 0 {
		t.Fatalf("%+v", requested)
	}
	problem := s.patient.API.JSON(t, "POST", "/api/auth/sms-codes", wish).Refused(t, 429, "sms_too_soon")
	if !problem.Temporary || problem.RetryAfterMs <= 0 {
		t.Fatalf("%+v", problem)
	}
}

func signInBySMS(s *story, t *testing.T) {
	phone, name := s.server.account(t, "patient", 0)
	code := s.awaitSMS(t, phone)
	wrong := fmt.Sprintf("%06d", (atoi(t, code)+1)%1_000_000)
	form := M{"phone": phone, "code": wrong, "device": M{"id": s.patient.ID, "label": "walk · Go"}}
	s.patient.API.JSON(t, "POST", "/api/auth/login/sms", form).Refused(t, 422, "invalid_code")

	s.patient.SignIn(t, "login/sms", M{"phone": phone, "code": code})
	if s.patient.Session.User.Role != "patient" || s.patient.Session.User.Name != name {
		t.Fatalf("signed in as %+v", s.patient.Session.User)
	}
	var me struct {
		ID string `json:"id"`
	}
	s.patient.API.JSON(t, "GET", "/api/me", nil).Want(t, 200, &me)
	if me.ID != s.patient.Session.User.ID {
		t.Fatalf("/api/me is %s, the session said %s", me.ID, s.patient.Session.User.ID)
	}
	s.patient.API.JSON(t, "POST", "/api/auth/login/sms", form).Refused(t, 422, "invalid_code")
}

// awaitSMS looks into the inbox until the code is there: it is sent after the request was answered.
func (s *story) awaitSMS(t *testing.T, phone string) string {
	t.Helper()
	code := regexp.MustCompile(`\d{6}`)
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(Patience)
	for {
		var inbox struct {
			Messages []struct {
				Phone string `json:"phone"`
				Text  string `json:"text"`
			} `json:"messages"`
		}
		s.patient.API.JSON(t, "GET", "/demo/inbox.json", nil).Want(t, 200, &inbox)
		for _, sms := range inbox.Messages {
			if sms.Phone == phone {
				return code.FindString(sms.Text)
			}
		}
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("no code for %s in the inbox: %+v", phone, inbox)
		}
	}
}

func findDoctor(s *story, t *testing.T) {
	_, name := s.server.account(t, "doctor", 2)
	var page struct {
		Items []DoctorCard `json:"items"`
		Total int          `json:"total"`
	}
	query := url.Values{"q": {name}, "kind": {"advice"}, "channel": {"video"}}
	s.patient.API.JSON(t, "GET", "/api/doctors?"+query.Encode(), nil).Want(t, 200, &page)
	if page.Total != 1 || len(page.Items) != 1 || page.Items[0].Name != name || !page.Items[0].Accepting {
		t.Fatalf("found for %s: %+v", name, page)
	}
	s.doctorCard = page.Items[0]
	if s.doctorCard.price("advice", "video") <= 0 {
		t.Fatalf("no price for advice by video: %+v", s.doctorCard.Prices)
	}
	var detail DoctorCard
	s.patient.API.JSON(t, "GET", "/api/doctors/"+s.doctorCard.ID, nil).Want(t, 200, &detail)
	if detail.UserID != s.doctorCard.UserID || detail.price("advice", "video") != s.doctorCard.price("advice", "video") {
		t.Fatalf("list and page of the doctor differ: %+v, %+v", s.doctorCard, detail)
	}
}
