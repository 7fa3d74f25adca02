package walk

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Link is what `GET /api/conversations/{id}/transcript` holds beside an entry.
type Link struct {
	Header     string `json:"header"`
	SealedHash string `json:"sealed_hash"`
}

// Transcript is that answer.
type Transcript struct {
	ConversationID string  `json:"conversation_id"`
	HeadSeq        uint64  `json:"head_seq"`
	HeadHash       string  `json:"head_hash"`
	Entries        []Entry `json:"entries"`
	Links          []Link  `json:"links"`
}

// Verify computes the chain by chat/PROTOCOL.md, section 12, from nothing but the transcript:
// every header is made anew from the entry as it is shown, every hash from the one before it.
func (tr *Transcript) Verify() error {
	if len(tr.Entries) != len(tr.Links) || uint64(len(tr.Entries)) != tr.HeadSeq {
		return fmt.Errorf("%d entries, %d links, head %d", len(tr.Entries), len(tr.Links), tr.HeadSeq)
	}
	conversation, err := uuidBytes(tr.ConversationID)
	if err != nil {
		return err
	}
	hash := sha256.Sum256(append([]byte("wenzhen conversation v1"), conversation...))
	for i, entry := range tr.Entries {
		if entry.Seq != uint64(i)+1 {
			return fmt.Errorf("place %d holds seq %d", i+1, entry.Seq)
		}
		header, err := header(entry)
		if err != nil {
			return fmt.Errorf("seq %d: %w", entry.Seq, err)
		}
		if shown := hex.EncodeToString(header); shown != tr.Links[i].Header {
			return fmt.Errorf("seq %d: header %s, the link says %s", entry.Seq, shown, tr.Links[i].Header)
		}
		sealed, err := hex.DecodeString(tr.Links[i].SealedHash)
		if err != nil || len(sealed) != sha256.Size {
			return fmt.Errorf("seq %d: sealed hash %q", entry.Seq, tr.Links[i].SealedHash)
		}
		parts := [][]byte{hash[:], conversation, binary.BigEndian.AppendUint64(nil, entry.Seq), header, sealed}
		hash = sha256.Sum256(bytes.Join(parts, nil))
		if !bytes.Equal(hash[:], entry.Hash) {
			return fmt.Errorf("seq %d: the chain breaks", entry.Seq)
		}
	}
	if hex.EncodeToString(hash[:]) != tr.HeadHash {
		return errors.New("the chain does not end in head_hash")
	}
	return nil
}

// The numbers of SenderRole in entry.proto.
var roleNumbers = map[string]byte{
	"": 0, "SENDER_ROLE_PATIENT": 1, "SENDER_ROLE_DOCTOR": 2, "SENDER_ROLE_EXPERT": 3, "SENDER_ROLE_AGENT": 4,
}

func header(entry Entry) ([]byte, error) {
	var flags byte
	if entry.Urgent {
		flags |= 1
	}
	if entry.Body != nil && entry.Body.Recall != nil {
		flags |= 2
	}
	role, known := roleNumbers[entry.SenderRole]
	if !known {
		return nil, fmt.Errorf("role %q", entry.SenderRole)
	}
	sender := make([]byte, 16)
	if entry.Sender != "" {
		var err error
		if sender, err = uuidBytes(entry.Sender); err != nil {
			return nil, err
		}
	}
	id, err := uuidBytes(entry.ID)
	if err != nil {
		return nil, err
	}
	out := append([]byte{1, flags, role}, sender...)
	out = append(out, id...)
	return binary.BigEndian.AppendUint64(out, uint64(entry.AtMs)), nil
}

func uuidBytes(id string) ([]byte, error) {
	raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err == nil && len(raw) != 16 {
		err = fmt.Errorf("%d bytes", len(raw))
	}
	if err != nil {
		return nil, fmt.Errorf("id %q: %w", id, err)
	}
	return raw, nil
}
