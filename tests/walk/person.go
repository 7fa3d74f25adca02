package walk

import (
	"strings"
	"testing"
)

// Session is the answer of every sign-in.
type Session struct {
	AccessToken     string  `json:"access_token"`
	AccessExpiresAt int64   `json:"access_expires_at"`
	RefreshToken    *string `json:"refresh_token"`
	SessionID       string  `json:"session_id"`
	User            struct {
		ID   string `json:"id"`
		Role string `json:"role"`
		Name string `json:"name"`
	} `json:"user"`
}

// Device is one installation of a client: who is signed in, what it has stored, its socket.
type Device struct {
	API     API
	ID      string
	Session Session
	Notes   Notebook
	Socket  *Socket
	address string
}

// NewDevice is an installation nobody has signed in on.
func NewDevice(base, id string) *Device {
	address := "ws" + strings.TrimPrefix(base, "http") + "/v1/socket"
	return &Device{API: API{Base: base}, ID: id, address: address}
}

// SignIn posts to one of the doors under /api/auth and keeps the session.
func (d *Device) SignIn(t *testing.T, door string, form M) {
	t.Helper()
	form["device"] = M{"id": d.ID, "label": "walk · Go"}
	d.API.JSON(t, "POST", "/api/auth/"+door, form).Want(t, 200, &d.Session)
	d.API.Token = d.Session.AccessToken
}

// Connect opens a socket and says hello; a socket of before is forgotten.
func (d *Device) Connect(t *testing.T, framing Framing) *Welcome {
	t.Helper()
	d.Dial(t, framing)
	d.Do(t, d.Hello())
	return d.Socket.Await(t, "welcome", func(e *Event) bool { return e.Welcome != nil }).Welcome
}

// Dial opens a socket without a word.
func (d *Device) Dial(t *testing.T, framing Framing) {
	t.Helper()
	socket, err := Open(t.Context(), d.address, framing, &d.Notes)
	if err != nil {
		t.Fatalf("socket: %v", err)
	}
	d.Socket = socket
}

// Hello is this device's first record.
func (d *Device) Hello() M {
	return M{"hello": M{"accessToken": d.Session.AccessToken, "device": d.ID, "client": "walk/1"}}
}

// Do sends commands.
func (d *Device) Do(t *testing.T, commands ...M) {
	t.Helper()
	if err := d.Socket.Send(commands...); err != nil {
		t.Fatalf("send: %v", err)
	}
}

// Say is the command that sends a body.
func Say(conversation, id string, body M) M {
	return M{"send": M{"conversation": conversation, "id": id, "body": body}}
}

// Words is the body of a text message.
func Words(text string) M { return M{"text": M{"text": text}} }

func closeName(reason string) string {
	name, _, _ := strings.Cut(reason, ";")
	return name
}
