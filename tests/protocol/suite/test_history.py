"""History and coming back where a conversation is long (sections 5 and 6), and presence that ends."""
import socket as sockets
import unittest
from urllib.parse import urlsplit

from client.framing import Command
from client.socket import Socket
from suite.ground import Json, Proto, URL, doctor, order, patient, pay, talking, text

PAGE_BYTES_MAX = 48 * 1024
PAGED_AFTER_RESUME_MAX = 50


class LongConversation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.patient, cls.doctor, cls.consultation = talking(Proto, Json)
        cls.conversation = cls.consultation["conversation_id"]

    @classmethod
    def tearDownClass(cls):
        cls.patient.close()
        cls.doctor.close()

    def test_a_page_ends_before_it_is_too_large_and_one_goes_on(self):
        long = [self.patient.say(self.conversation, text("长" * 4_000)) for _ in range(8)]
        page = self.patient.pull(self.conversation, long[0].seq, 200)
        self.assertTrue(0 < len(page.entries) < 8)
        self.assertLessEqual(page.ByteSize(), PAGE_BYTES_MAX)
        self.assertEqual((page.from_seq, page.entries[0].seq, page.head_seq >= long[-1].seq), (long[0].seq, long[0].seq, True))
        held = self.doctor.catch_up(self.conversation)
        self.assertTrue(all(held.entries[sent.seq].hash == sent.hash for sent in long))

    def test_the_newest_entries_come_with_the_others_marks(self):
        last = self.patient.say(self.conversation, text("最后一句"))
        self.patient.read(self.conversation, last.seq)
        self.doctor.marks_of(self.patient.id, self.conversation, lambda marks: marks.read_seq == last.seq)
        page = self.doctor.pull(self.conversation, 0, 3)
        self.assertEqual([entry.seq for entry in page.entries], [last.seq - 2, last.seq - 1, last.seq])
        self.assertEqual(page.from_seq, last.seq - 2)
        self.doctor.marks_of(self.patient.id, self.conversation, lambda marks: marks.read_seq == last.seq)

    def test_who_is_far_behind_pulls(self):
        self.doctor.catch_up(self.conversation)
        self.doctor.leave()
        ids = [self.patient.send(self.conversation, text(f"{number}")) for number in range(14)]
        sent = [self.patient.socket.answer(message) for message in ids]
        cursor = {"conversation": self.conversation, "seq": 1, "hash_prefix": self.doctor.of(self.conversation).entries[1].hash[:8]}
        heads = self.doctor.come_back(self.conversation)
        self.assertEqual([head.seq for head in heads.heads if head.conversation == self.conversation], [sent[-1].seq])
        page = self.doctor.socket.expect("page")
        self.assertEqual([entry.id for entry in page.entries], ids)
        self.doctor.socket.send(Command(resume={"cursors": [cursor]}))
        self.doctor.socket.expect("heads")
        pages = self.doctor.socket.waits("page")
        behind = sent[-1].seq - 1
        self.assertEqual(len(pages), 0 if behind > PAGED_AFTER_RESUME_MAX else 1)

    def test_nothing_is_beyond_the_head(self):
        head = self.patient.catch_up(self.conversation).seq
        page = self.patient.pull(self.conversation, head + 1)
        self.assertEqual((len(page.entries), page.head_seq), (0, head))


class SlowReader(unittest.TestCase):
    def test_who_reads_too_slowly_is_told_where_he_is_behind_and_misses_nothing(self):
        him, her, consultation = talking(Proto, Json)
        self.addCleanup(him.close)
        self.addCleanup(her.close)
        conversation = consultation["conversation_id"]
        him.leave()
        address = urlsplit(URL)
        narrow = sockets.socket()
        narrow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4_096)
        narrow.connect((address.hostname, address.port))
        him.socket = Socket(URL, Proto, sock=narrow, max_queue=1)
        him.socket.hello(him.session["access_token"], him.device["id"])
        ids = [her.send(conversation, text("慢" * 4_000)) for _ in range(28)]
        last = max(her.socket.answer(message).seq for message in ids)
        heads = him.socket.expect("heads")
        self.assertTrue(heads.lagging)
        [head] = heads.heads
        self.assertEqual((head.conversation, head.read_seq), (conversation, 0))
        live = {entry.id for entry in him.socket.waits("entry")}
        self.assertLess(len(live), len(ids))
        held = him.catch_up(conversation)
        self.assertEqual(held.entries[head.seq].hash[:8], head.hash_prefix)
        self.assertEqual({entry.id for entry in held.in_order() if entry.sender == her.id}, set(ids))
        again = her.say(conversation, text("现在又跟上了"))
        self.assertEqual(him.hears(conversation, again.id).seq, last + 1)


class Meeting(unittest.TestCase):
    def test_before_the_doctor_comes_only_the_patient_speaks(self):
        him, her = patient(Json), doctor(Json)
        self.addCleanup(him.close)
        self.addCleanup(her.close)
        him.connect()
        her.connect()
        conversation = pay(him, order(him, her))["conversation_id"]
        him.say(conversation, text("补充一下,昨晚也疼"))
        self.assertIn(her.refusal_of(her.send(conversation, text("您好"))).code, ("unknown_conversation", "conversation_not_open"))

    def test_a_doctor_who_leaves_is_told_to_those_who_watch(self):
        him, her = patient(Json), doctor(Proto)
        self.addCleanup(him.close)
        self.addCleanup(her.close)
        him.connect()
        her.connect()
        him.socket.send(Command(watch_presence={"users": [her.id]}))
        self.assertTrue(him.socket.expect("presence", lambda it: it.user == her.id).online)
        her.leave()
        self.assertFalse(him.socket.expect("presence", lambda it: it.user == her.id).online)
