package walk

import (
	"encoding/hex"
	"math/rand/v2"
	"sync"
	"time"
)

// Dice makes ids and texts. One seed, printed by the test, gives the same choices again.
type Dice struct {
	mu   sync.Mutex
	rand *rand.Rand
}

func NewDice(seed uint64) *Dice {
	return &Dice{rand: rand.New(rand.NewPCG(seed, 0))}
}

// UUIDv7 is a message, call or device id (RFC 9562).
func (d *Dice) UUIDv7() string {
	d.mu.Lock()
	high, low := d.rand.Uint64(), d.rand.Uint64()
	d.mu.Unlock()
	var id [16]byte
	ms := uint64(time.Now().UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6], id[7] = 0x70|byte(high>>8)&0x0f, byte(high)
	for i := range 8 {
		id[8+i] = byte(low >> (56 - 8*i))
	}
	id[8] = 0x80 | id[8]&0x3f
	s := hex.EncodeToString(id[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// Phrase is some Chinese text of n characters.
func (d *Dice) Phrase(n int) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	runes := make([]rune, n)
	for i := range runes {
		runes[i] = rune(0x4e00 + d.rand.IntN(0x5000))
	}
	return string(runes)
}
