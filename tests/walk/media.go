package walk

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"math"
)

// Picture is a small JPEG.
func Picture(width, height int, tint uint8) ([]byte, error) {
	canvas := image.NewRGBA(image.Rect(0, 0, width, height))
	for x := range width {
		for y := range height {
			canvas.Set(x, y, color.RGBA{R: uint8(x), G: uint8(y), B: tint, A: 255})
		}
	}
	var out bytes.Buffer
	err := jpeg.Encode(&out, canvas, nil)
	return out.Bytes(), err
}

// Sound is a WAV file (16 bit PCM, mono, 16 kHz) with a tone of this length.
func Sound(ms int) []byte {
	const rate = 16_000
	samples := make([]int16, rate*ms/1000)
	for i := range samples {
		samples[i] = int16(8000 * math.Sin(2*math.Pi*440*float64(i)/rate))
	}
	size := uint32(2 * len(samples))
	out := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, 36+size)...)
	out = append(out, "WAVEfmt "...)
	for _, field := range []any{uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2 * rate), uint16(2), uint16(16)} {
		out, _ = binary.Append(out, binary.LittleEndian, field)
	}
	out = append(out, "data"...)
	out = binary.LittleEndian.AppendUint32(out, size)
	out, _ = binary.Append(out, binary.LittleEndian, samples)
	return out
}
