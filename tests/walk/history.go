package walk

import (
	"bytes"
	"fmt"
	"sync"
)

// History is what an installation has stored of one conversation. It outlives sockets.
type History struct {
	mu      sync.Mutex
	entries []Entry          // entries[i] is seq i+1
	early   map[uint64]Entry // beyond a gap
	fault   error
}

// Add takes an entry, however often and in whatever order, and says whether entries are missing before it.
func (h *History) Add(entry Entry) (gap bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if held := uint64(len(h.entries)); entry.Seq == 0 {
		h.fault = fmt.Errorf("an entry without seq: %+v", entry)
	} else if entry.Seq <= held {
		if !bytes.Equal(h.entries[entry.Seq-1].Hash, entry.Hash) {
			h.fault = fmt.Errorf("seq %d came with two hashes", entry.Seq)
		}
		return false
	}
	if h.early == nil {
		h.early = map[uint64]Entry{}
	}
	h.early[entry.Seq] = entry
	for {
		next, here := h.early[uint64(len(h.entries))+1]
		if !here {
			return len(h.early) > 0
		}
		delete(h.early, next.Seq)
		h.entries = append(h.entries, next)
	}
}

// Head is the newest seq without a gap before it.
func (h *History) Head() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return uint64(len(h.entries))
}

// Fault is the first contradiction the server was caught in.
func (h *History) Fault() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fault
}

// All is a copy of what is held without a gap.
func (h *History) All() []Entry {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Entry(nil), h.entries...)
}

// At is the entry of a seq that is held.
func (h *History) At(seq uint64) Entry {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.entries[seq-1]
}

// Cursor is where this installation stands, as `resume` wants it.
func (h *History) Cursor(conversation string) M {
	h.mu.Lock()
	defer h.mu.Unlock()
	cursor := M{"conversation": conversation, "seq": fmt.Sprint(len(h.entries))}
	if n := len(h.entries); n > 0 {
		cursor["hashPrefix"] = h.entries[n-1].Hash[:8]
	}
	return cursor
}

// Notebook holds the histories of one installation.
type Notebook struct {
	mu        sync.Mutex
	histories map[string]*History
}

// Of is the history of a conversation, empty at first.
func (n *Notebook) Of(conversation string) *History {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.histories == nil {
		n.histories = map[string]*History{}
	}
	if n.histories[conversation] == nil {
		n.histories[conversation] = new(History)
	}
	return n.histories[conversation]
}
