package walk

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// story is one consultation and everybody in it.
type story struct {
	server  *server
	dice    *Dice
	binary  *Proto
	patient *Device // wenzhen.v1.json
	doctor  *Device // the workstation, wenzhen.v1.proto
	phone   *Device // the doctor's second device, wenzhen.v1.json
	other   *Device // a patient who has no business here

	doctorCard   DoctorCard
	consents     []M
	picture      []byte // as served, after the upload
	pictureID    string
	consultation string
	order        string
	conversation string
	callID       string // the call that is under way
	talk         []spoken
}

type step struct {
	name string
	run  func(*story, *testing.T)
}

// TestConsultation is the whole story, in order: a step that fails ends it.
func TestConsultation(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if given, err := strconv.ParseUint(os.Getenv("WALK_SEED"), 10, 64); err == nil {
		seed = given
	}
	t.Logf("WALK_SEED=%d", seed)
	s := begin(t, NewDice(seed))
	for _, chapter := range [][]step{signIn, ordering, doctorComes, talking, media, marks, comingBack, calling, refusals, ending} {
		for _, step := range chapter {
			if !t.Run(step.name, func(t *testing.T) { step.run(s, t) }) {
				t.FailNow()
			}
		}
	}
}

// schemaFolder holds the published `wenzhen/v1/*.proto`.
func schemaFolder() string {
	if folder := os.Getenv("WENZHEN_PROTO"); folder != "" {
		return folder
	}
	return "../../chat/proto"
}

func begin(t *testing.T, dice *Dice) *story {
	t.Helper()
	binary, err := NewProto(t.Context(), schemaFolder())
	if err != nil {
		t.Fatalf("the published schema does not compile: %v", err)
	}
	server := startServer(t)
	published = ReadContract(t, server.base)
	s := &story{server: server, dice: dice, binary: binary}
	for _, device := range []**Device{&s.patient, &s.doctor, &s.phone, &s.other} {
		*device = NewDevice(server.base, dice.UUIDv7())
	}
	return s
}

// consultationView is what the walk reads of a consultation.
type consultationView struct {
	ID             string          `json:"id"`
	State          string          `json:"state"`
	ConversationID *string         `json:"conversation_id"`
	PriceFen       int64           `json:"price_fen"`
	Can            map[string]bool `json:"can"`
	Unread         int             `json:"unread"`
	Order          struct {
		ID    string `json:"id"`
		State string `json:"state"`
	} `json:"order"`
	Intake struct {
		Attachments []string `json:"attachments"`
	} `json:"intake"`
	AvConsent *struct {
		Patient bool `json:"patient"`
		Doctor  bool `json:"doctor"`
	} `json:"av_consent"`
	Record *struct {
		CompletedAt int64 `json:"completed_at"`
	} `json:"record"`
}

func (s *story) see(t *testing.T, d *Device) consultationView {
	t.Helper()
	var view consultationView
	d.API.JSON(t, "GET", "/api/consultations/"+s.consultation, nil).Want(t, 200, &view)
	return view
}

// awaitState looks again at every hint of the socket; a hint may be lost, so also each second.
func (s *story) awaitState(t *testing.T, d *Device, state string) consultationView {
	t.Helper()
	deadline := time.Now().Add(Patience)
	for {
		view := s.see(t, d)
		if view.State == state {
			return view
		}
		if time.Now().After(deadline) {
			t.Fatalf("the consultation stays %s instead of %s", view.State, state)
		}
		d.Socket.Hint(time.Second)
	}
}
