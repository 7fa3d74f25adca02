package walk

// Body is what an entry says; exactly one of the fields is set.
type Body struct {
	Text         *Text               `json:"text"`
	Image        *Image              `json:"image"`
	Voice        *Voice              `json:"voice"`
	Recall       *Recall             `json:"recall"`
	Membership   *Membership         `json:"membership"`
	Consultation *ConsultationChange `json:"consultation"`
	Consent      *ConsentEntry       `json:"consent"`
	Card         *Card               `json:"card"`
	CallInvited  *CallInvited        `json:"callInvited"`
	CallAccepted *CallAccepted       `json:"callAccepted"`
	CallEnded    *CallEnded          `json:"callEnded"`
}

type Text struct {
	Text       string `json:"text"`
	ReplyToSeq uint64 `json:"replyToSeq,string"`
}

type Image struct {
	Attachment string `json:"attachment"`
	WidthPx    uint32 `json:"widthPx"`
	HeightPx   uint32 `json:"heightPx"`
	Caption    string `json:"caption"`
}

type Voice struct {
	Attachment string `json:"attachment"`
	DurationMs uint32 `json:"durationMs"`
}

type Recall struct {
	Seq uint64 `json:"seq,string"`
}

type Membership struct {
	User        string `json:"user"`
	Role        string `json:"role"`
	Change      string `json:"change"`
	VisibleFrom uint64 `json:"visibleFrom,string"`
}

type ConsultationChange struct {
	Consultation string `json:"consultation"`
	State        string `json:"state"`
	Reason       string `json:"reason"`
}

type ConsentEntry struct {
	Kind     string `json:"kind"`
	Version  string `json:"version"`
	TextHash []byte `json:"textHash"`
	User     string `json:"user"`
}

type Card struct {
	Object   string `json:"object"`
	ObjectID string `json:"objectId"`
}

type CallInvited struct {
	Call       string `json:"call"`
	Media      string `json:"media"`
	Callee     string `json:"callee"`
	DeadlineMs int64  `json:"deadlineMs,string"`
}

type CallAccepted struct {
	Call   string `json:"call"`
	Device string `json:"device"`
}

type CallEnded struct {
	Call        string `json:"call"`
	Reason      string `json:"reason"`
	ConnectedMs uint32 `json:"connectedMs"`
	Gaps        uint32 `json:"gaps"`
	By          string `json:"by"`
	Media       string `json:"media"`
}

// CallEvent is what the server says about a call on the socket; one of the pointers is set.
type CallEvent struct {
	Call           string          `json:"call"`
	Conversation   string          `json:"conversation"`
	Incoming       *CallIncoming   `json:"incoming"`
	Ringing        *CallRingingAt  `json:"ringing"`
	Started        *CallStarted    `json:"started"`
	Elsewhere      *CallElsewhere  `json:"elsewhere"`
	Over           *CallOver       `json:"over"`
	Signal         *CallSignal     `json:"signal"`
	Ice            *CallIce        `json:"ice"`
	PeerConnection *PeerConnection `json:"peerConnection"`
	Snapshot       *CallSnapshot   `json:"snapshot"`
	MediaChanged   *MediaChanged   `json:"mediaChanged"`
}

type CallIncoming struct {
	From       string `json:"from"`
	Media      string `json:"media"`
	DeadlineMs int64  `json:"deadlineMs,string"`
}

type CallRingingAt struct {
	Device string `json:"device"`
}

type CallStarted struct {
	Device string   `json:"device"`
	Polite bool     `json:"polite"`
	Ice    *CallIce `json:"ice"`
	Media  string   `json:"media"`
}

type CallElsewhere struct {
	Device   string `json:"device"`
	Accepted bool   `json:"accepted"`
}

type CallOver struct {
	Reason      string `json:"reason"`
	ConnectedMs uint32 `json:"connectedMs"`
	By          string `json:"by"`
}

// CallSignal is relayed between the two devices as it is.
type CallSignal struct {
	OfferSdp  string        `json:"offerSdp"`
	AnswerSdp string        `json:"answerSdp"`
	Candidate *IceCandidate `json:"candidate"`
}

type IceCandidate struct {
	Candidate     string `json:"candidate"`
	SdpMid        string `json:"sdpMid"`
	SdpMLineIndex uint32 `json:"sdpMLineIndex"`
}

type CallIce struct {
	ExpiresAtMs int64 `json:"expiresAtMs,string"`
	RelayOnly   bool  `json:"relayOnly"`
}

type PeerConnection struct {
	State string `json:"state"`
}

type CallSnapshot struct {
	Phase      string `json:"phase"`
	Polite     bool   `json:"polite"`
	Media      string `json:"media"`
	DeadlineMs int64  `json:"deadlineMs,string"`
	From       string `json:"from"`
}

type MediaChanged struct {
	Media string `json:"media"`
	By    string `json:"by"`
}
