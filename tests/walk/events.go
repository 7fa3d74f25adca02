// Package walk is a client of Wenzhen written from its public documents alone:
// chat/PROTOCOL.md, signaling/PROTOCOL.md, the three .proto files and /api/openapi.json.
// It shares no code with the product; where it had to guess, a document had a defect.
package walk

// M is a record or a request body as it is written down in the documents.
type M map[string]any

// Event is one record of the server in the canonical proto3 JSON mapping:
// exactly one of the fields is set.
type Event struct {
	Welcome        *Welcome        `json:"welcome"`
	Sent           *Sent           `json:"sent"`
	Entry          *Entry          `json:"entry"`
	Page           *Page           `json:"page"`
	Heads          *Heads          `json:"heads"`
	Marks          *Marks          `json:"marks"`
	Typing         *Typing         `json:"typing"`
	Presence       *Presence       `json:"presence"`
	HistoryChanged *HistoryChanged `json:"historyChanged"`
	Error          *Refusal        `json:"error"`
	Pong           *Pong           `json:"pong"`
	Changed        *Changed        `json:"changed"`
	Refreshed      *Refreshed      `json:"refreshed"`
	Call           *CallEvent      `json:"call"`
}

type Welcome struct {
	User             string `json:"user"`
	Session          string `json:"session"`
	ServerTimeMs     int64  `json:"serverTimeMs,string"`
	HeartbeatMs      uint32 `json:"heartbeatMs"`
	RecordBytesMax   uint32 `json:"recordBytesMax"`
	TokenExpiresAtMs int64  `json:"tokenExpiresAtMs,string"`
}

type Sent struct {
	ID           string `json:"id"`
	Conversation string `json:"conversation"`
	Seq          uint64 `json:"seq,string"`
	AtMs         int64  `json:"atMs,string"`
	Durability   string `json:"durability"`
	Hash         []byte `json:"hash"`
}

// Entry is one place of a conversation.
type Entry struct {
	Conversation string `json:"conversation"`
	Seq          uint64 `json:"seq,string"`
	ID           string `json:"id"`
	Sender       string `json:"sender"`
	AtMs         int64  `json:"atMs,string"`
	Hash         []byte `json:"hash"`
	Body         *Body  `json:"body"`
	Withheld     string `json:"withheld"`
	Urgent       bool   `json:"urgent"`
	SenderRole   string `json:"senderRole"`
}

type Page struct {
	Conversation string  `json:"conversation"`
	Entries      []Entry `json:"entries"`
	HeadSeq      uint64  `json:"headSeq,string"`
	FromSeq      uint64  `json:"fromSeq,string"`
}

type Head struct {
	Conversation string `json:"conversation"`
	Seq          uint64 `json:"seq,string"`
	HashPrefix   []byte `json:"hashPrefix"`
	ReadSeq      uint64 `json:"readSeq,string"`
	DeliveredSeq uint64 `json:"deliveredSeq,string"`
}

type Heads struct {
	Heads   []Head `json:"heads"`
	Lagging bool   `json:"lagging"`
}

type Marks struct {
	Conversation string `json:"conversation"`
	User         string `json:"user"`
	DeliveredSeq uint64 `json:"deliveredSeq,string"`
	ReadSeq      uint64 `json:"readSeq,string"`
}

type Typing struct {
	Conversation string `json:"conversation"`
	User         string `json:"user"`
	Active       bool   `json:"active"`
}

type Presence struct {
	User   string `json:"user"`
	Online bool   `json:"online"`
}

type HistoryChanged struct {
	Conversation string `json:"conversation"`
	Head         Head   `json:"head"`
}

// Refusal is the event `error`.
type Refusal struct {
	Code         string `json:"code"`
	Message      string `json:"message"`
	Temporary    bool   `json:"temporary"`
	RetryAfterMs uint32 `json:"retryAfterMs"`
	Re           string `json:"re"`
	Conversation string `json:"conversation"`
}

type Pong struct {
	Nonce        uint64 `json:"nonce,string"`
	ServerTimeMs int64  `json:"serverTimeMs,string"`
}

type Changed struct {
	Object string `json:"object"`
	ID     string `json:"id"`
}

type Refreshed struct {
	TokenExpiresAtMs int64 `json:"tokenExpiresAtMs,string"`
}
