package walk

import "testing"

func verifyChain(s *story, t *testing.T) {
	for _, d := range []*Device{s.patient, s.doctor} {
		transcript := s.transcript(t, d)
		if err := transcript.Verify(); err != nil {
			t.Fatal(err)
		}
		held := d.Notes.Of(s.conversation).All()
		for i, entry := range transcript.Entries[:len(held)] {
			if string(entry.Hash) != string(held[i].Hash) {
				t.Fatalf("seq %d: the transcript is not what came over the socket", entry.Seq)
			}
		}
	}
	spoil := map[string]func(*Transcript){
		"a later time":    func(tr *Transcript) { tr.Entries[7].AtMs++ },
		"another sender":  func(tr *Transcript) { tr.Entries[7].Sender = s.other.ID },
		"another message": func(tr *Transcript) { tr.Entries[7].ID = s.other.ID },
		"another body":    func(tr *Transcript) { tr.Links[7].SealedHash = tr.Links[8].SealedHash },
		"a cut end": func(tr *Transcript) {
			tr.HeadSeq--
			tr.Entries = tr.Entries[:tr.HeadSeq]
			tr.Links = tr.Links[:tr.HeadSeq]
		},
		"two swapped": func(tr *Transcript) { tr.Entries[7], tr.Entries[8] = tr.Entries[8], tr.Entries[7] },
	}
	for what, change := range spoil {
		transcript := s.transcript(t, s.patient)
		change(transcript)
		if transcript.Verify() == nil {
			t.Errorf("%s goes unnoticed", what)
		}
	}
}

func (s *story) transcript(t *testing.T, d *Device) *Transcript {
	t.Helper()
	transcript := new(Transcript)
	d.API.JSON(t, "GET", "/api/conversations/"+s.conversation+"/transcript", nil).Want(t, 200, transcript)
	return transcript
}
