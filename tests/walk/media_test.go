package walk

import (
	"bytes"
	"image/jpeg"
	"testing"
)

var media = []step{
	{"the patient sends a picture and the doctor downloads it", pictureMessage},
	{"the doctor sends a voice message and the patient downloads it", voiceMessage},
	{"an attachment of somebody else cannot be sent", foreignAttachment},
}

// deliver sends a body, waits until the other side holds the entry and returns it.
func (s *story) deliver(t *testing.T, from, to *Device, body M) Entry {
	t.Helper()
	id := s.dice.UUIDv7()
	from.Do(t, Say(s.conversation, id, body))
	seq := from.Socket.AwaitSent(t, id).Seq
	to.Socket.AwaitHead(t, s.conversation, seq)
	return to.Notes.Of(s.conversation).At(seq)
}

func pictureMessage(s *story, t *testing.T) {
	content, err := Picture(640, 400, 30)
	if err != nil {
		t.Fatal(err)
	}
	var stored attachment
	s.patient.API.Upload(t, "image", "report.jpg", "image/jpeg", content).Want(t, 201, &stored)
	s.doctor.API.Raw(t, "GET", stored.URL, nil).Refused(t, 404, "not_found")

	entry := s.deliver(t, s.patient, s.doctor, M{"image": M{"attachment": stored.ID, "caption": "上周的报告"}})
	if img := entry.Body.Image; img == nil || img.Attachment != stored.ID || img.WidthPx != 640 || img.HeightPx != 400 || img.Caption != "上周的报告" {
		t.Fatalf("%+v", entry.Body)
	}
	full := s.doctor.API.Raw(t, "GET", "/api/attachments/"+stored.ID, nil)
	full.Want(t, 200, nil)
	if shown, err := jpeg.DecodeConfig(bytes.NewReader(full.Body)); err != nil || shown.Width != 640 || full.Type != "image/jpeg" {
		t.Fatalf("%s %+v %v", full.Type, shown, err)
	}
	small := s.doctor.API.Raw(t, "GET", "/api/attachments/"+stored.ID+"/thumbnail", nil)
	small.Want(t, 200, nil)
	if _, err := jpeg.DecodeConfig(bytes.NewReader(small.Body)); err != nil {
		t.Fatalf("thumbnail: %v", err)
	}
}

func voiceMessage(s *story, t *testing.T) {
	content := Sound(1500)
	var stored attachment
	s.doctor.API.Upload(t, "voice", "advice.wav", "audio/wav", content).Want(t, 201, &stored)
	if stored.Kind != "voice" || stored.Mime != "audio/wav" || stored.DurationMs != 1500 {
		t.Fatalf("%+v", stored)
	}
	entry := s.deliver(t, s.doctor, s.patient, M{"voice": M{"attachment": stored.ID}})
	if voice := entry.Body.Voice; voice == nil || voice.Attachment != stored.ID || voice.DurationMs != 1500 {
		t.Fatalf("%+v", entry.Body)
	}
	heard := s.patient.API.Raw(t, "GET", "/api/attachments/"+stored.ID, nil)
	heard.Want(t, 200, nil)
	if heard.Type != "audio/wav" || !bytes.Equal(heard.Body, content) {
		t.Fatalf("%s, %d bytes of %d", heard.Type, len(heard.Body), len(content))
	}
}

func foreignAttachment(s *story, t *testing.T) {
	content, err := Picture(64, 64, 200)
	if err != nil {
		t.Fatal(err)
	}
	var stored attachment
	s.doctor.API.Upload(t, "image", "own.jpg", "image/jpeg", content).Want(t, 201, &stored)
	id := s.dice.UUIDv7()
	s.patient.Do(t, Say(s.conversation, id, M{"image": M{"attachment": stored.ID}}))
	s.patient.Socket.AwaitError(t, id, s.conversation, "unknown_attachment")
}
