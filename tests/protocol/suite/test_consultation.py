"""A whole consultation through the public protocol alone, once in each form: S1, CON-01 to CON-08, CON-13, CON-14, REV-01, REG-03."""
from client import calls, chain, files
from client.conversation import new_id
from suite.ground import Command, Json, Person, Proto, consents, doctor, order, pay, patient, text, until
from suite.story import Story


class Consultation:
    form = kind = None

    @classmethod
    def tearDownClass(cls):
        for name in ("patient", "doctor"):
            if hasattr(cls, name):
                getattr(cls, name).close()

    def both(self):
        return (self.patient, self.doctor)

    def consultation_of(self, person):
        return person.rest.get(f"/api/consultations/{self.consultation['id']}")

    # Before they meet.

    def test_01_a_patient_registers_by_phone_and_says_hello(self):
        type(self).patient = patient(self.form)
        welcome = self.patient.connect()
        self.assertEqual(welcome.user, self.patient.id)
        self.assertEqual(welcome.session, self.patient.session["session_id"])
        self.assertEqual(welcome.record_bytes_max, 65_536)
        self.assertEqual(welcome.heartbeat_ms, 20_000)

    def test_02_a_doctor_signs_in_and_the_patient_sees_him_come(self):
        type(self).doctor = doctor(self.form)
        self.patient.socket.send(Command(watch_presence={"users": [self.doctor.id]}))
        self.assertFalse(self.patient.socket.expect("presence", lambda it: it.user == self.doctor.id).online)
        self.doctor.connect()
        self.assertTrue(self.patient.socket.expect("presence", lambda it: it.user == self.doctor.id).online)

    def test_03_a_picture_loses_its_place_on_the_way(self):
        original = files.photo()
        self.assertTrue(files.place_in(original))
        type(self).picture = self.patient.rest.upload("image", "rash.jpg", original, "image/jpeg")
        self.assertEqual((self.picture["width_px"], self.picture["height_px"]), files.size_of(original))
        own = self.patient.rest.download(self.picture["url"]).content
        self.assertEqual(files.place_in(own), {})

    def test_04_the_intake_is_ordered_and_paid_for(self):
        intake = {"symptoms": "手臂红疹三天,伴有瘙痒", "description": "照片是今天早上拍的,没有用过药", "attachments": [self.picture["id"]]}
        more = {}
        if self.kind == "return_visit":
            proof = self.patient.rest.upload("image", "record.jpg", files.photo(), "image/jpeg")
            more["proof"] = {"diagnosis": "湿疹", "institution": "市第一人民医院", "visited_on": "2026-05-31", "attachments": [proof["id"]]}
        consultation = order(self.patient, self.doctor, kind=self.kind, channel="video", intake=intake, **more)
        self.assertEqual((consultation["state"], consultation["conversation_id"]), ("created", None))
        self.assertTrue(1_00 <= consultation["price_fen"] <= 300_00)
        type(self).consultation = pay(self.patient, consultation)
        type(self).conversation = self.consultation["conversation_id"]

    def test_05_the_doctor_sees_the_intake_and_accepts(self):
        seen = self.consultation_of(self.doctor)
        self.assertEqual(seen["intake"]["attachments"], [self.picture["id"]])
        downloaded = self.doctor.rest.download(self.picture["url"]).content
        self.assertEqual(files.place_in(downloaded), {})
        self.assertNotIn(files.MAKER.encode(), downloaded)
        meets = {"meets_return_visit_conditions": True} if self.kind == "return_visit" else {}
        self.doctor.rest.post(f"/api/consultations/{self.consultation['id']}/accept", meets)
        self.patient.hears_kind(self.conversation, "membership", lambda it: it.user == self.doctor.id)
        for person in self.both():
            person.catch_up(self.conversation)
        self.assertEqual(until(self.patient, self.consultation["id"], lambda it: it["state"] == "in_progress")["state"], "in_progress")

    # They talk.

    def test_06_ten_messages_each_way(self):
        for number in range(10):
            for speaker, listener in (self.both(), self.both()[::-1]):
                sent = speaker.say(self.conversation, text(f"第 {number} 句 \N{FACE WITH THERMOMETER} {speaker.id[:4]}"))
                entry = listener.hears(self.conversation, sent.id)
                self.assertEqual((entry.seq, entry.at_ms, entry.hash), (sent.seq, sent.at_ms, sent.hash))
                self.assertEqual(entry.sender, speaker.id)
                self.assertEqual(len(entry.hash), 32)

    def test_07_several_commands_sent_at_once_keep_their_order(self):
        ids = [new_id() for _ in range(4)]
        self.patient.socket.send(*(
            Command(send={"conversation": self.conversation, "id": message, "body": text(f"{number}")}) for number, message in enumerate(ids)))
        seqs = [self.patient.socket.expect("sent", lambda sent, message=message: sent.id == message).seq for message in ids]
        self.assertEqual(seqs, list(range(seqs[0], seqs[0] + 4)))
        self.assertEqual([self.doctor.hears(self.conversation, message).body.text.text for message in ids], ["0", "1", "2", "3"])

    def test_08_a_picture_and_a_voice_message(self):
        picture = self.doctor.rest.upload("image", "drawing.jpg", files.photo(300, 200), "image/jpeg")
        sent = self.doctor.say(self.conversation, {"image": {"attachment": picture["id"], "caption": "示意图"}})
        image = self.patient.hears(self.conversation, sent.id).body.image
        self.assertEqual((image.width_px, image.height_px, image.caption), (300, 200, "示意图"))
        got = self.patient.rest.download(f"/api/attachments/{image.attachment}").content
        self.assertEqual((files.size_of(got), files.place_in(got)), ((300, 200), {}))
        self.assertTrue(self.patient.rest.download(f"/api/attachments/{image.attachment}/thumbnail").content)

        voice = self.patient.rest.upload("voice", "cough.wav", files.voice(seconds=2), "audio/wav")
        sent = self.patient.say(self.conversation, {"voice": {"attachment": voice["id"]}})
        heard = self.doctor.hears(self.conversation, sent.id).body.voice
        self.assertEqual(heard.duration_ms, 2_000)
        answer = self.doctor.rest.download(f"/api/attachments/{heard.attachment}")
        self.assertTrue(answer.headers["content-type"].startswith("audio/"))

    def test_09_marks_go_to_the_other_and_never_back(self):
        seq = self.doctor.catch_up(self.conversation).seq
        self.doctor.delivered(self.conversation, seq)
        self.patient.marks_of(self.doctor.id, self.conversation, lambda marks: marks.delivered_seq == seq and marks.read_seq < seq)
        self.doctor.read(self.conversation, seq + 1_000)
        self.patient.marks_of(self.doctor.id, self.conversation, lambda marks: marks.read_seq == seq)
        self.doctor.read(self.conversation, 1)
        self.doctor.socket.ping()
        later = self.patient.socket.waits("marks", lambda marks: marks.user == self.doctor.id)
        self.assertTrue(all(marks.read_seq == seq for marks in later))

    def test_10_typing_is_told_to_the_other_only(self):
        self.doctor.socket.send(Command(typing={"conversation": self.conversation, "active": True}))
        typing = self.patient.socket.expect("typing")
        self.assertEqual((typing.user, typing.conversation, typing.active), (self.doctor.id, self.conversation, True))
        self.assertEqual(self.doctor.socket.waits("typing"), [])

    def test_11_the_same_id_again_is_the_same_message(self):
        first = self.patient.say(self.conversation, text("只发一次"))
        again = self.patient.say(self.conversation, text("只发一次"), first.id)
        self.assertEqual((again.seq, again.hash, again.at_ms), (first.seq, first.hash, first.at_ms))
        self.patient.send(self.conversation, text("换了内容"), first.id)
        self.assertEqual(self.patient.refusal_of(first.id).code, "id_conflict")

    def test_12_a_recall_hides_ones_own_message(self):
        sent = self.patient.say(self.conversation, text("发错了"))
        recall = self.patient.say(self.conversation, {"recall": {"seq": sent.seq}})
        self.assertEqual(self.doctor.hears(self.conversation, recall.id).body.recall.seq, sent.seq)
        refused = self.doctor.send(self.conversation, {"recall": {"seq": sent.seq}})
        self.assertEqual(self.doctor.refusal_of(refused).code, "not_recallable")

    # One is away and comes back.

    def test_13_what_was_said_meanwhile_comes_once(self):
        mirror = self.patient.catch_up(self.conversation)
        before, repeated = mirror.seq, mirror.repeated
        self.patient.leave()
        missed = [self.doctor.say(self.conversation, text(f"您在吗 {number}")) for number in range(3)]
        heads = self.patient.come_back(self.conversation)
        head = next(head for head in heads.heads if head.conversation == self.conversation)
        self.assertEqual((head.seq, head.hash_prefix), (missed[-1].seq, missed[-1].hash[:8]))
        page = self.patient.socket.expect("page")
        self.assertEqual([(entry.seq, entry.id) for entry in page.entries], [(sent.seq, sent.id) for sent in missed])
        for entry in page.entries:
            mirror.take(entry)
        self.assertEqual(self.patient.socket.waits("entry"), [])
        self.assertEqual((mirror.seq, mirror.repeated, page.from_seq), (before + 3, repeated, before + 1))
        self.patient.marks_of(self.doctor.id, self.conversation, lambda marks: marks.read_seq > 0)

    def test_14_a_current_cursor_brings_nothing(self):
        self.patient.leave()
        heads = self.patient.come_back(self.conversation)
        self.assertEqual([head for head in heads.heads if head.conversation == self.conversation], [])
        self.assertEqual(self.patient.socket.waits("page"), [])

    def test_15_another_history_is_told(self):
        mirror = self.patient.of(self.conversation)
        wrong = mirror.cursor() | {"hash_prefix": b"otherway"}
        self.patient.socket.send(Command(resume={"cursors": [wrong]}))
        changed = self.patient.socket.expect("history_changed")
        self.assertEqual((changed.conversation, changed.head.seq), (self.conversation, mirror.seq))
        pull = {"conversation": self.conversation, "from_seq": 5, "limit": 3}
        self.patient.socket.send(Command(pull=pull | {"hash_prefix": b"otherway"}))
        self.patient.socket.expect("history_changed")
        page = self.patient.pull(self.conversation, 5, 3, mirror.entries[4].hash[:8])
        self.assertEqual([entry.seq for entry in page.entries], [5, 6, 7])

    # They call.

    def test_16_a_call_needs_both_consents(self):
        call = calls.Line(self.patient, new_id())
        call.say(invite={"conversation": self.conversation, "media": "CALL_MEDIA_VIDEO"})
        self.assertEqual(call.refused().code, "consent_required")
        for person in self.both():
            [notice] = consents(person, "av_notice")
            person.rest.post(f"/api/consultations/{self.consultation['id']}/av-consent", {"version": notice["version"], "text_hash": notice["text_hash"]})
            given = self.patient.hears_kind(self.conversation, "consent", lambda it, who=person.id: it.kind == "av_notice" and it.user == who)
            self.assertEqual(given.body.consent.text_hash.hex(), notice["text_hash"])

    def test_17_a_call_rings_is_answered_negotiated_and_hung_up(self):
        call = new_id()
        caller, callee = calls.Line(self.patient, call), calls.Line(self.doctor, call)
        caller.say(invite={"conversation": self.conversation, "media": "CALL_MEDIA_VIDEO"})
        ringing = caller.hears("snapshot")
        self.assertEqual(ringing.Phase.Name(ringing.phase), "PHASE_RINGING")
        incoming = callee.hears("incoming")
        # `from` is a word of Python's own.
        self.assertEqual((getattr(incoming, "from"), incoming.deadline_ms), (self.patient.id, ringing.deadline_ms))
        callee.say(ringing={})
        self.assertEqual(caller.hears("ringing").device, self.doctor.device["id"])
        callee.say(accept={})
        self.assertFalse(caller.hears("started").polite)
        self.assertTrue(callee.hears("started").polite)

        caller.say(signal={"offer_sdp": calls.sdp()})
        self.assertEqual(callee.hears("signal").offer_sdp, calls.sdp())
        callee.say(signal={"answer_sdp": calls.sdp("active")})
        self.assertEqual(caller.hears("signal").answer_sdp, calls.sdp("active"))
        for here, there in ((caller, callee), (callee, caller)):
            here.say(signal={"candidate": {"candidate": calls.HOST, "sdp_mid": "0", "sdp_m_line_index": 0}})
            self.assertEqual(there.hears("signal").candidate.candidate, calls.HOST)
            here.say(connection={"state": "STATE_CONNECTED", "round_trip_ms": 20})
            heard = there.hears("peer_connection")
            self.assertEqual(heard.state, 1)
        callee.say(attach={"media_kept": True})
        snapshot = callee.hears("snapshot")
        self.assertEqual(snapshot.Phase.Name(snapshot.phase), "PHASE_ACTIVE")

        callee.say(hang_up={})
        for line in (caller, callee):
            over = line.hears("over")
            self.assertEqual((over.reason, over.by), (1, self.doctor.id))
        type(self).call = call

    def test_18_the_log_tells_of_the_call(self):
        for person in self.both():
            invited = person.hears_kind(self.conversation, "call_invited", lambda it: it.call == self.call)
            accepted = person.hears_kind(self.conversation, "call_accepted", lambda it: it.call == self.call)
            ended = person.hears_kind(self.conversation, "call_ended", lambda it: it.call == self.call)
            self.assertLess(invited.seq, accepted.seq)
            self.assertLess(accepted.seq, ended.seq)
            self.assertEqual(invited.body.call_invited.callee, self.doctor.id)
            self.assertEqual(accepted.body.call_accepted.device, self.doctor.device["id"])
            self.assertEqual((ended.body.call_ended.reason, ended.body.call_ended.by), (1, self.doctor.id))
            self.assertEqual((invited.sender, accepted.sender, ended.sender), (self.patient.id, self.doctor.id, self.doctor.id))

    # They part.

    def test_19_the_doctor_writes_the_record_and_ends(self):
        record = f"/api/consultations/{self.consultation['id']}/record"
        draft = {"symptom_analysis": "局部红斑丘疹", "basis": "照片与病史", "advice": "避免搔抓,三天后复诊", "medication_advice": "", "references": []}
        draft |= {"diagnosis": "湿疹", "diagnosis_code": "L30.9"} if self.kind == "return_visit" else {"impression": "考虑接触性皮炎可能"}
        saved = self.doctor.rest.put(record, draft | {"version": self.doctor.rest.get(record)["version"]})
        self.assertEqual(saved["missing"], [])
        self.doctor.rest.post(f"/api/consultations/{self.consultation['id']}/end", {})
        closed = self.patient.hears_kind(self.conversation, "consultation", lambda it: it.reason == "ended")
        self.assertEqual(closed.body.consultation.state, 3)
        message = self.patient.send(self.conversation, text("还有一个问题"))
        self.assertEqual(self.patient.refusal_of(message).code, "conversation_closed")

    def test_20_the_patient_gets_the_record_as_pdf_and_rates(self):
        until(self.patient, self.consultation["id"], lambda it: it["state"] == "ended")
        pdf = self.patient.rest.download(f"/api/consultations/{self.consultation['id']}/record.pdf")
        self.assertEqual(pdf.headers["content-type"], "application/pdf")
        self.assertTrue(pdf.content.startswith(b"%PDF-") and len(pdf.content) > 2_000)
        self.patient.rest.post(f"/api/consultations/{self.consultation['id']}/reviews", {"score": 5, "text": "讲得很清楚", "tags": [], "anonymous": True})
        self.assertEqual(self.consultation_of(self.patient)["review"]["score"], 5)

    def test_21_everybody_holds_the_same_conversation_and_its_chain_verifies(self):
        told = []
        for person in self.both():
            mirror = person.catch_up(self.conversation)
            told.append([(entry.seq, entry.id, entry.hash) for entry in mirror.in_order()])
            self.assertEqual([seq for seq, _, _ in told[-1]], list(range(1, mirror.seq + 1)), "dense from 1")
        self.assertEqual(told[0], told[1])
        for person in self.both():
            transcript = person.rest.get(f"/api/conversations/{self.conversation}/transcript")
            self.assertEqual(chain.verify(transcript), told[0][-1][2])
            self.assertEqual([(entry.seq, entry.id, entry.hash) for entry in chain.entries_of(transcript)], told[0])

    def test_22_a_transcript_that_was_touched_shows(self):
        path = f"/api/conversations/{self.conversation}/transcript"
        for name, touch in {
            "a sender": lambda it: it["entries"][8].update(sender=self.doctor.id if it["entries"][8]["sender"] == self.patient.id else self.patient.id),
            "a moment": lambda it: it["entries"][8].update(atMs=str(int(it["entries"][8]["atMs"]) + 1)),
            "a sealed body": lambda it: it["links"][8].update(sealed_hash="00" * 32),
            "one left out": lambda it: (it["entries"].pop(8), it["links"].pop(8)),
            "the last left out": lambda it: (it["entries"].pop(), it["links"].pop()),
        }.items():
            with self.subTest(name):
                transcript = self.patient.rest.get(path)
                touch(transcript)
                with self.assertRaises(chain.Broken):
                    chain.verify(transcript)


class InProto(Consultation, Story):
    form, kind = Proto, "return_visit"


class InJson(Consultation, Story):
    form, kind = Json, "advice"
