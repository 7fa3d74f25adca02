package walk

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Socket is one connection to /v1/socket. Its reader does what section 4 and 5 ask of every client:
// it stores entries by seq, drops what it holds and pulls at once what is missing.
type Socket struct {
	conn    *websocket.Conn
	framing Framing
	notes   *Notebook

	mu    sync.Mutex
	inbox []*Event      // not awaited yet
	wake  chan struct{} // closed and made anew at each change
	ended error         // why reading ended
	pulls map[string]int
	sends map[string]M // the drafts, by message id: what is refused for now goes again with the same id
}

// Dial opens a socket; origin is empty for clients that are no browser.
func Dial(ctx context.Context, address, origin, subprotocol string) (*websocket.Conn, *http.Response, error) {
	header := http.Header{}
	if origin != "" {
		header.Set("Origin", origin)
	}
	options := &websocket.DialOptions{HTTPHeader: header}
	if subprotocol != "" {
		options.Subprotocols = []string{subprotocol}
	}
	conn, response, err := websocket.Dial(ctx, address, options)
	if err == nil {
		conn.SetReadLimit(1 << 20)
	}
	return conn, response, err
}

// Open dials and reads; what comes goes to the notes of this installation and to the inbox.
func Open(ctx context.Context, address string, framing Framing, notes *Notebook) (*Socket, error) {
	conn, _, err := Dial(ctx, address, "", framing.Subprotocol())
	if err != nil {
		return nil, err
	}
	if got := conn.Subprotocol(); got != framing.Subprotocol() {
		conn.CloseNow()
		return nil, fmt.Errorf("the server speaks %q", got)
	}
	s := &Socket{conn: conn, framing: framing, notes: notes, wake: make(chan struct{}), pulls: map[string]int{}, sends: map[string]M{}}
	go s.read()
	return s, nil
}

// Send writes commands, in one frame where the framing can.
func (s *Socket) Send(commands ...M) error {
	s.mu.Lock()
	for _, command := range commands {
		if send, is := command["send"].(M); is {
			s.sends[send["id"].(string)] = command
		}
	}
	s.mu.Unlock()
	if _, one := s.framing.(JSON); one {
		for _, command := range commands {
			if err := s.frame(command); err != nil {
				return err
			}
		}
		return nil
	}
	return s.frame(commands...)
}

func (s *Socket) frame(commands ...M) error {
	frame, err := s.framing.Encode(commands...)
	if err != nil {
		return err
	}
	return s.Raw(s.framing.Kind(), frame)
}

// Raw writes a frame that need not be right.
func (s *Socket) Raw(kind websocket.MessageType, frame []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	return s.conn.Write(ctx, kind, frame)
}

// Cut breaks the connection as a lost network does: no closing handshake.
func (s *Socket) Cut() { _ = s.conn.CloseNow() }

func (s *Socket) read() {
	for {
		_, frame, err := s.conn.Read(context.Background())
		var events []*Event
		if err == nil {
			events, err = s.framing.Decode(frame)
		}
		for _, event := range events {
			if err == nil {
				err = s.store(event)
			}
		}
		s.mu.Lock()
		s.inbox = append(s.inbox, events...)
		s.ended = err
		close(s.wake)
		s.wake = make(chan struct{})
		s.mu.Unlock()
		if err != nil {
			_ = s.conn.CloseNow()
			return
		}
	}
}

func (s *Socket) store(event *Event) error {
	switch {
	case event.Entry != nil:
		if s.notes.Of(event.Entry.Conversation).Add(*event.Entry) {
			return s.pull(event.Entry.Conversation)
		}
	case event.Page != nil:
		history := s.notes.Of(event.Page.Conversation)
		for _, entry := range event.Page.Entries {
			history.Add(entry)
		}
		if len(event.Page.Entries) > 0 && history.Head() < event.Page.HeadSeq {
			return s.pull(event.Page.Conversation)
		}
	}
	return nil
}

func (s *Socket) pull(conversation string) error {
	s.mu.Lock()
	s.pulls[conversation]++
	s.mu.Unlock()
	return s.Send(PullNext(s.notes, conversation, 50))
}

// PullNext asks for what follows the newest entry held.
func PullNext(notes *Notebook, conversation string, limit int) M {
	cursor := notes.Of(conversation).Cursor(conversation)
	wish := M{"conversation": conversation, "fromSeq": fmt.Sprint(notes.Of(conversation).Head() + 1), "limit": limit}
	if prefix, held := cursor["hashPrefix"]; held {
		wish["hashPrefix"] = prefix
	}
	return M{"pull": wish}
}

// Patience is how long an event may take before the walk gives up.
const Patience = 30 * time.Second

// Pulls is how often this socket had to fill a gap of a conversation.
func (s *Socket) Pulls(conversation string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pulls[conversation]
}
