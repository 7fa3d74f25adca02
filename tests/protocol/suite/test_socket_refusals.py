"""What a socket refuses, each with its documented code, and that it goes on living where the document says so (REG-03, REG-13)."""
import unittest

import httpx
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from client.conversation import new_id
from client.framing import record
from client.rest import Rest, device
from client.socket import Socket
from suite.ground import Command, Json, NEVER_EXISTED, Proto, URL, patient, talking, text

PING = Command(ping={"nonce": 7})


class AtTheDoor(unittest.TestCase):
    """Before `welcome`."""

    @classmethod
    def setUpClass(cls):
        cls.person = patient()

    @classmethod
    def tearDownClass(cls):
        cls.person.close()

    def upgrade_answer(self, **options):
        with self.assertRaises(InvalidStatus) as refused:
            with connect(URL.replace("http", "ws", 1) + "/v1/socket", compression=None, **options):
                pass
        return refused.exception.response.status_code

    def end_after(self, form, frame, **options):
        with Socket(URL, form) as socket:
            socket.connection.send(frame, **options)
            code, reason = socket.closed()
            return code, reason.partition(";")[0]

    def end_after_hello(self, token, **other):
        hello = {"access_token": token, "device": self.person.device["id"]} | other
        [frame] = Proto.frames([Command(hello=hello)])
        return self.end_after(Proto, frame)

    def test_a_subprotocol_that_is_not_spoken(self):
        self.assertEqual(self.upgrade_answer(subprotocols=["wenzhen.v2.proto"]), 400)
        self.assertEqual(self.upgrade_answer(), 400)

    def test_a_page_of_another_host(self):
        self.assertEqual(self.upgrade_answer(subprotocols=["wenzhen.v1.json"], origin="https://elsewhere.example"), 403)

    def test_no_upgrade_at_all(self):
        self.assertIn(httpx.get(URL + "/v1/socket", trust_env=False).status_code, range(400, 500))

    def test_something_before_hello(self):
        self.assertEqual(self.end_after(Proto, Proto.frames([PING])[0]), (4006, "hello_expected"))
        self.assertEqual(self.end_after(Json, Json.frames([PING])[0]), (4006, "hello_expected"))

    def test_silence(self):
        with Socket(URL, Json) as socket:
            code, reason = socket.closed()
        self.assertEqual((code, reason), (4001, "hello_timeout;within_ms=5000"))

    def test_tokens_that_are_none(self):
        good = self.person.session["access_token"]
        version, claims, mac = good.split(".")
        other = patient()
        self.addCleanup(other.close)
        foreign = other.session["access_token"].split(".")
        swapped = claims[:-2] + ("AA" if claims[-2:] != "AA" else "BB")
        for name, token in {
            "nothing": "", "garbage": "x", "no parts": "wz1", "empty parts": "wz1..", "another version": f"wz2.{claims}.{mac}",
            "changed claims": f"{version}.{swapped}.{mac}", "another's claims": f"{version}.{foreign[1]}.{mac}",
            "another's mac": f"{version}.{claims}.{foreign[2]}", "no mac": f"{version}.{claims}.", "a part more": f"{good}.{mac}",
            "a JWT without algorithm": f"eyJhbGciOiJub25lIn0.{claims}.", "not ASCII": "令牌", "long": "wz1." + "A" * 20_000 + "." + mac,
        }.items():
            with self.subTest(name):
                self.assertEqual(self.end_after_hello(token), (4002, "unauthenticated"))
                self.person.rest.token, kept = token, self.person.rest.token
                try:
                    answer = self.person.rest.raw("GET", "/api/me") if token.isascii() else None
                finally:
                    self.person.rest.token = kept
                if answer is not None:
                    self.assertEqual((answer.status_code, answer.json()["code"]), (401, "unauthenticated"))

    def test_a_hello_outside_its_limits(self):
        token = self.person.session["access_token"]
        self.assertEqual(self.end_after_hello(token, device="my phone"), (4005, "malformed"))
        self.assertEqual(self.end_after_hello(token, client="x" * 65), (4005, "malformed"))

    def test_a_session_that_was_signed_out(self):
        person = patient()
        self.addCleanup(person.close)
        person.connect()
        person.rest.post("/api/auth/logout")
        self.assertEqual(person.socket.closed(), (4004, "revoked"))
        end = self.end_after_hello(person.session["access_token"])
        self.assertIn(end[0], (4002, 4004))


class Records(unittest.TestCase):
    """After `welcome`: what is not a record ends the socket, what is one and cannot be done is answered."""

    @classmethod
    def setUpClass(cls):
        cls.person = patient()

    @classmethod
    def tearDownClass(cls):
        cls.person.close()

    def after(self, form, frame, **options):
        """The end of the socket, or the codes of the errors that came."""
        with Socket(URL, form) as socket:
            socket.hello(self.person.session["access_token"], self.person.device["id"])
            socket.connection.send(frame, **options)
            try:
                return [error.code for error in socket.waits("error")]
            except ConnectionClosed as end:
                return end.rcvd.code, end.rcvd.reason

    def test_json_that_is_no_record(self):
        deep = "[" * 3_000
        for frame in ("", "{", "[]", "null", "5", '"send"', '{"ping":{}} {"ping":{}}', '{"ping":{},"pull":{}}', deep):
            with self.subTest(frame[:30]):
                self.assertEqual(self.after(Json, frame), (4005, "malformed"))

    def test_json_values_of_another_type(self):
        for frame in (
            '{"send":5}', '{"send":[]}', '{"send":{"conversation":5}}', '{"send":{"body":"text"}}', '{"send":{"body":{"text":"x"}}}',
            '{"pull":{"fromSeq":"abc"}}', '{"pull":{"fromSeq":-1}}', '{"pull":{"fromSeq":18446744073709551616}}', '{"pull":{"limit":4294967296}}',
            '{"pull":{"limit":{}}}', '{"pull":{"hashPrefix":"!!"}}', '{"ping":{"nonce":1.5}}', '{"typing":{"active":"yes"}}',
            '{"hello":{"accessToken":7}}', '{"watchPresence":{"users":"me"}}', '{"resume":{"cursors":{}}}', '{"resume":{"cursors":[7]}}',
            '{"call":{"invite":{"media":"CALL_MEDIA_SMELL"}}}',
        ):
            with self.subTest(frame):
                self.assertEqual(self.after(Json, frame), (4005, "malformed"))

    def test_protobuf_that_is_no_record(self):
        ping = record(PING.SerializeToString())
        for name, frame in {
            "length beyond the frame": b"\x05\x01", "endless length": b"\xff" * 11, "garbage": record(b"\xff\xff"), "no UTF-8": record(b"\x1a\x04\x0a\x02\xff\xff"),
            "another wire type": record(b"\x50\x07"), "cut off after a good one": ping + b"\x09\x01", "65 records": ping * 65,
        }.items():
            with self.subTest(name):
                self.assertEqual(self.after(Proto, frame), (4005, "malformed"))

    def test_frames_of_the_other_form(self):
        self.assertEqual(self.after(Json, b'{"ping":{}}'), (4005, "malformed"))
        self.assertEqual(self.after(Proto, "ping"), (4005, "malformed"))

    def test_text_that_is_not_utf8(self):
        self.assertEqual(self.after(Json, b'{"\xff":{}}', text=True), (1007, "invalid_payload"))

    def test_a_frame_that_is_too_large(self):
        self.assertEqual(self.after(Json, "x" * 65_537), (1009, "too_big"))
        self.assertEqual(self.after(Proto, b"\x00" * 65_537), (1009, "too_big"))

    def test_commands_of_tomorrow_are_answered_and_fields_of_tomorrow_ignored(self):
        for frame in ("{}", '{"fly":{}}', '{"send":null}'):
            self.assertEqual(self.after(Json, frame), ["unknown_command"])
        self.assertEqual(self.after(Proto, record(b"\xa2\x06\x01x")), ["unknown_command"])
        self.assertEqual(self.after(Json, '{"ping":{"nonce":7,"tomorrow":[1]},"also":{}}'), [])

    def test_64_records_in_a_frame_are_allowed(self):
        self.assertEqual(self.after(Proto, record(PING.SerializeToString()) * 64), [])


class Commands(unittest.TestCase):
    """In a conversation between two people, with a stranger beside it."""

    @classmethod
    def setUpClass(cls):
        cls.patient, cls.doctor, cls.consultation = talking(Proto, Json, channel="video")
        cls.conversation = cls.consultation["conversation_id"]
        cls.stranger = patient(Json)
        cls.stranger.connect()

    @classmethod
    def tearDownClass(cls):
        for person in (cls.patient, cls.doctor, cls.stranger):
            person.close()

    def code_of(self, body, message=None):
        return self.patient.refusal_of(self.patient.send(self.conversation, body, message)).code

    def answer_to(self, person, **command):
        person.socket.send(Command(**command))
        return person.socket.expect("error")

    def test_texts_outside_their_limits(self):
        for words in ("", " \n\t ", "a\0b", "疼" * 4_001):
            with self.subTest(words[:10]):
                self.assertEqual(self.code_of(text(words)), "invalid_field")
        self.assertGreater(self.patient.say(self.conversation, text("疼" * 4_000)).seq, 0)

    def test_bodies_and_ids_outside_their_limits(self):
        self.assertEqual(self.code_of({}), "invalid_field")
        self.assertEqual(self.code_of({"recall": {"seq": 0}}), "invalid_field")
        self.assertEqual(self.code_of({"image": {"attachment": "mine"}}), "invalid_field")
        self.assertEqual(self.code_of(text("x"), "0190a5c8-7c1e-4b3a-9f0e-2f4b8d1c6a55"), "invalid_field")
        self.assertEqual(self.code_of(text("x"), "mine"), "invalid_field")

    def test_bodies_that_are_the_servers(self):
        for kind in ("membership", "consultation", "consent", "card", "call_invited", "call_accepted", "call_ended", "notice"):
            with self.subTest(kind):
                self.assertEqual(self.code_of({kind: {}}), "server_only")

    def test_attachments_nobody_has(self):
        for kind in ("image", "voice"):
            self.assertEqual(self.code_of({kind: {"attachment": NEVER_EXISTED}}), "unknown_attachment")

    def test_recalls_of_others_and_of_nothing(self):
        said = self.doctor.say(self.conversation, text("请多喝水"))
        for seq in (1, said.seq, 9_999):
            self.assertEqual(self.code_of({"recall": {"seq": seq}}), "not_recallable")

    def test_somebody_elses_conversation_is_like_none(self):
        for name, command in {
            "pull": lambda it: {"pull": {"conversation": it, "from_seq": 1}},
            "pull with hash": lambda it: {"pull": {"conversation": it, "from_seq": 2, "hash_prefix": b"12345678"}},
            "delivered": lambda it: {"delivered": {"conversation": it, "up_to_seq": 1}},
            "read": lambda it: {"read": {"conversation": it, "up_to_seq": 1}},
            "typing": lambda it: {"typing": {"conversation": it, "active": True}},
            "resume": lambda it: {"resume": {"cursors": [{"conversation": it, "seq": 1, "hash_prefix": b"12345678"}]}},
            "text": lambda it: {"send": {"conversation": it, "id": new_id(), "body": text("在吗")}},
            "recall": lambda it: {"send": {"conversation": it, "id": new_id(), "body": {"recall": {"seq": 1}}}},
            "a server's body": lambda it: {"send": {"conversation": it, "id": new_id(), "body": {"notice": {}}}},
            "invite": lambda it: {"call": {"call": new_id(), "invite": {"conversation": it, "media": "CALL_MEDIA_VOICE"}}},
        }.items():
            with self.subTest(name):
                foreign, never = (self.answer_to(self.stranger, **command(it)) for it in (self.conversation, NEVER_EXISTED))
                self.assertEqual((foreign.conversation, never.conversation), (self.conversation, NEVER_EXISTED))
                for answer in (foreign, never):
                    answer.conversation = answer.re = ""
                self.assertEqual(foreign, never)
                if name != "a server's body":
                    self.assertEqual(foreign.code, "unknown_conversation")

    def test_a_broken_record_spoils_its_frame(self):
        message = new_id()
        good = Command(send={"conversation": self.conversation, "id": message, "body": text("不该出现")})
        with Socket(URL, Proto) as socket:
            socket.hello(self.patient.session["access_token"], self.patient.device["id"])
            socket.send_raw(record(good.SerializeToString()) + b"\x09\x01")
            self.assertEqual(socket.closed(), (4005, "malformed"))
        last = self.patient.say(self.conversation, text("之后"))
        self.assertNotIn(message, [entry.id for entry in self.patient.pull(self.conversation, last.seq - 3).entries])

    def test_lists_that_are_too_long(self):
        self.assertEqual(self.answer_to(self.patient, watch_presence={"users": [NEVER_EXISTED] * 201}).code, "too_many")
        cursors = [{"conversation": self.conversation, "seq": 1}] * 201
        self.assertEqual(self.answer_to(self.patient, resume={"cursors": cursors}).code, "too_many")
        self.assertEqual(self.answer_to(self.patient, pull={"conversation": self.conversation, "limit": 201}).code, "invalid_field")
        self.assertEqual(self.answer_to(self.patient, pull={"conversation": self.conversation, "from_seq": 2, "hash_prefix": b"1"}).code, "invalid_field")

    def test_hello_comes_once(self):
        answer = self.answer_to(self.patient, hello={"access_token": self.patient.session["access_token"], "device": self.patient.device["id"]})
        self.assertEqual(answer.code, "already_authenticated")

    def test_a_refresh_takes_only_a_token_of_the_same_session(self):
        for token in ("", "wz1.x.y", self.stranger.session["access_token"]):
            answer = self.answer_to(self.patient, refresh={"access_token": token})
            self.assertIn(answer.code, ("unauthenticated", "not_permitted"))
        self.patient.socket.ping()

    def test_presence_of_a_patient_is_told_only_to_his_own(self):
        for watcher, online in ((self.stranger, False), (self.doctor, True)):
            watcher.socket.send(Command(watch_presence={"users": [self.patient.id]}))
            self.assertEqual(watcher.socket.expect("presence", lambda it: it.user == self.patient.id).online, online)


class Flood(unittest.TestCase):
    def test_sends_beyond_the_limit_are_refused_for_a_while_and_none_is_lost(self):
        him, her, consultation = talking(Proto)
        self.addCleanup(him.close)
        self.addCleanup(her.close)
        conversation = consultation["conversation_id"]
        ids = [him.send(conversation, text(f"{number}")) for number in range(60)]
        answers = [him.socket.answer(message) for message in ids]
        refused = [answer for answer in answers if hasattr(answer, "code")]
        self.assertTrue(refused)
        self.assertTrue(all((it.code, it.temporary) == ("rate_limited", True) and it.retry_after_ms > 0 for it in refused))
        kept = {message for message, answer in zip(ids, answers) if not hasattr(answer, "code")}
        self.assertGreaterEqual(len(kept), 30)
        self.assertEqual({entry.id for entry in her.catch_up(conversation).in_order() if entry.sender == him.id}, kept)

    def test_one_socket_too_many_closes_the_oldest(self):
        person = patient()
        self.addCleanup(person.close)
        sockets = []
        for _ in range(13):
            socket = Socket(URL, Json)
            self.addCleanup(socket.close)
            socket.hello(person.session["access_token"], person.device["id"])
            sockets.append(socket)
        self.assertEqual(sockets[0].closed(), (4010, "replaced"))
        for socket in sockets[1:]:
            socket.ping()


class Renewal(unittest.TestCase):
    def test_a_newer_token_of_the_session_prolongs_the_socket(self):
        visitor = Rest(URL)
        self.addCleanup(visitor.close)
        mine = device("kept phone")
        first = visitor.post("/api/auth/login", {"phone": "13800000001", "password": "wenzhen-2026", "device": mine, "remember": True})
        with Socket(URL, Json) as socket:
            socket.hello(first["access_token"], mine["id"])
            second = visitor.post("/api/auth/refresh", {"refresh_token": first["refresh_token"]})
            self.assertEqual(second["session_id"], first["session_id"])
            socket.send(Command(refresh={"access_token": second["access_token"]}))
            self.assertEqual(socket.expect("refreshed").token_expires_at_ms, second["access_expires_at"])
