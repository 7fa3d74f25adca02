"""Calls as signaling/PROTOCOL.md tells them: several devices, reloads, other ends than hanging up, and what is refused."""
import unittest

from client import calls
from client.conversation import new_id
from client.person import Person
from suite.ground import Json, PASSWORD, Proto, URL, consents, patient, talking


class Calls:
    """The patient calls; his doctor has a workstation and a phone. Each test is a call of its own; a person has ten invites at once."""

    @classmethod
    def setUpClass(cls):
        cls.patient, cls.doctor, cls.consultation = talking(Proto, Json, channel="video")
        cls.conversation = cls.consultation["conversation_id"]
        cls.phone = Person.staff(URL, Proto, cls.doctor.account, PASSWORD)
        cls.phone.connect()
        cls.stranger = patient(Json)
        cls.stranger.connect()
        for person in (cls.patient, cls.doctor):
            [notice] = consents(person, "av_notice")
            person.rest.post(f"/api/consultations/{cls.consultation['id']}/av-consent", {"version": notice["version"], "text_hash": notice["text_hash"]})

    @classmethod
    def tearDownClass(cls):
        for person in (cls.patient, cls.doctor, cls.phone, cls.stranger):
            person.close()

    def ring(self, media="CALL_MEDIA_VIDEO"):
        """A call that rings: the patient's end, the workstation's, the phone's."""
        mine, hers, phone = (calls.Line(person, call) for call in [new_id()] for person in (self.patient, self.doctor, self.phone))
        mine.say(invite={"conversation": self.conversation, "media": media})
        mine.hears("snapshot")
        for line in (hers, phone):
            line.hears("incoming")
        self.addCleanup(self.over, mine)
        return mine, hers, phone

    def answered(self, media="CALL_MEDIA_VIDEO"):
        mine, hers, phone = self.ring(media)
        hers.say(accept={})
        for line in (mine, hers):
            line.hears("started")
        phone.hears("elsewhere")
        return mine, hers, phone

    def over(self, line):
        """Leaves nothing behind for the next test, whatever happened in this one."""
        for word in ({"cancel": {}}, {"hang_up": {}}):
            line.say(**word)
        self.patient.hears_kind(self.conversation, "call_ended", lambda it: it.call == line.call)

    def ended(self, line):
        return self.patient.hears_kind(self.conversation, "call_ended", lambda it: it.call == line.call).body.call_ended


class Courses(Calls, unittest.TestCase):
    def test_the_first_device_that_accepts_carries_it(self):
        mine, hers, phone = self.ring()
        for line in (hers, phone):
            line.say(ringing={})
        self.assertEqual({mine.hears("ringing").device for _ in range(2)}, {self.doctor.device["id"], self.phone.device["id"]})
        phone.say(accept={})
        elsewhere = hers.hears("elsewhere")
        self.assertEqual((elsewhere.device, elsewhere.accepted), (self.phone.device["id"], True))
        self.assertEqual(mine.hears("started").device, self.phone.device["id"])
        hers.say(accept={})
        self.assertEqual(hers.refused().code, "call_not_ringing")
        hers.say(signal={"answer_sdp": calls.sdp("active")})
        self.assertEqual(hers.refused().code, "call_other_device")

    def test_a_refusal_is_recorded_as_what_it_was(self):
        for word, reason in (("busy", 3), ("later", 2)):
            mine, hers, phone = self.ring()
            hers.say(reject={"reason": word})
            self.assertEqual(mine.hears("over").reason, reason)
            self.assertEqual((self.ended(mine).reason, self.ended(mine).by), (reason, self.doctor.id))

    def test_who_called_may_cancel(self):
        mine, hers, phone = self.ring()
        mine.say(cancel={})
        for line in (mine, hers, phone):
            self.assertEqual(line.hears("over").reason, 4)
        hers.say(accept={})
        self.assertIn(hers.refused().code, ("call_not_ringing", "call_not_live"))
        mine.say(invite={"conversation": self.conversation, "media": "CALL_MEDIA_VIDEO"})
        self.assertEqual(self.ended(mine).reason, 4)

    def test_a_repeated_invite_is_answered_by_where_the_call_stands(self):
        mine, _, _ = self.ring()
        mine.say(invite={"conversation": self.conversation, "media": "CALL_MEDIA_VIDEO"})
        self.assertEqual(mine.hears("snapshot").phase, 1)

    def test_a_reload_begins_a_new_peer_connection_on_both_sides(self):
        mine, hers, _ = self.answered()
        self.doctor.leave()
        self.doctor.connect()
        hers.say(attach={"media_kept": False})
        self.assertIn(hers.hears("snapshot").phase, (2, 4))
        self.assertFalse(mine.hears("started").polite)
        mine.say(signal={"offer_sdp": calls.sdp()})
        self.assertTrue(hers.hears("signal").offer_sdp)

    def test_another_device_takes_the_call_over(self):
        mine, hers, phone = self.answered()
        phone.say(attach={})
        phone.hears("snapshot")
        self.assertEqual(hers.hears("elsewhere").device, self.phone.device["id"])
        mine.say(signal={"candidate": {"candidate": calls.HOST, "sdp_mid": "0"}})
        phone.hears("signal")

    def test_video_falls_back_to_voice_and_not_back(self):
        mine, hers, _ = self.answered()
        hers.say(media_change={"media": "CALL_MEDIA_VOICE"})
        for line in (mine, hers):
            changed = line.hears("media_changed")
            self.assertEqual((changed.media, changed.by), (1, self.doctor.id))
        mine.say(media_change={"media": "CALL_MEDIA_VIDEO"})
        self.assertEqual(mine.refused().code, "call_media_not_allowed")


class Refusals(Calls, unittest.TestCase):
    def test_one_call_at_a_time(self):
        self.ring()
        second = calls.Line(self.patient, new_id())
        second.say(invite={"conversation": self.conversation, "media": "CALL_MEDIA_VOICE"})
        self.assertEqual(second.refused().code, "call_in_progress")

    def test_words_of_the_wrong_party_and_before_their_time(self):
        mine, hers, _ = self.ring()
        for line, kind, code in (
            (mine, {"accept": {}}, "call_wrong_party"), (hers, {"cancel": {}}, "call_wrong_party"),
            (mine, {"signal": {"offer_sdp": calls.sdp()}}, "call_not_answered"),
        ):
            line.say(**kind)
            self.assertEqual(line.refused().code, code)

    def test_somebody_elses_call_is_like_none(self):
        mine, _, _ = self.ring()
        for name, kind in {
            "ringing": {"ringing": {}}, "accept": {"accept": {}}, "reject": {"reject": {}}, "cancel": {"cancel": {}}, "hang up": {"hang_up": {}},
            "offer": {"signal": {"offer_sdp": calls.sdp()}}, "connection": {"connection": {"state": "STATE_CONNECTED"}}, "attach": {"attach": {}},
            "credentials": {"ice_request": {}}, "media": {"media_change": {"media": "CALL_MEDIA_VOICE"}},
        }.items():
            with self.subTest(name):
                told = []
                for call in (mine.call, new_id()):
                    line = calls.Line(self.stranger, call)
                    line.say(**kind)
                    answer = line.refused()
                    told.append((answer.code, answer.message, answer.temporary, answer.conversation))
                self.assertEqual(told[0], told[1])
                self.assertEqual(told[0][0], "unknown_call")

    def test_signals_that_are_none(self):
        mine, _, _ = self.answered()
        for name, signal in {
            "too large": {"offer_sdp": calls.sdp() + "a=x-long:" + "1" * 17_000 + "\r\n"}, "no description": {"offer_sdp": "hello"}, "nothing": {},
            "no fingerprint": {"offer_sdp": "\r\n".join(line for line in calls.sdp().split("\r\n") if "fingerprint" not in line)},
            "no candidate": {"candidate": {"candidate": "candidate:oops", "sdp_mid": "0"}}, "a long candidate": {"candidate": {"candidate": calls.HOST + " x" * 300}},
        }.items():
            with self.subTest(name):
                mine.say(signal=signal)
                self.assertEqual(mine.refused().code, "call_signal_malformed")

    def test_commands_outside_their_form(self):
        for name, call, kind in (
            ("no UUID", "mine", {"hang_up": {}}), ("no kind", new_id(), {}), ("no media", new_id(), {"invite": {"conversation": self.conversation}}),
        ):
            with self.subTest(name):
                line = calls.Line(self.patient, call)
                line.say(**kind)
                self.assertEqual(line.refused().code, "invalid_field")
