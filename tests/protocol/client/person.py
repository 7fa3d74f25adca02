"""A person with one device: signs in over HTTP, holds a socket, speaks, reads, and keeps what came (sections 2 to 8)."""
import random

from client import conversation as held
from client.framing import Command
from client.rest import Rest, device
from client.socket import Socket


class Person:
    def __init__(self, base_url, form):
        self.rest = Rest(base_url)
        self.form = form
        self.device = device("protocol test")
        self.session = None
        self.socket = None
        self.conversations = {}

    def close(self):
        self.leave()
        self.rest.close()

    # Accounts.

    @classmethod
    def patient(cls, base_url, form, name="张三"):
        """Registers a new number with the code from the demo's inbox (ACC-01)."""
        person = cls(base_url, form)
        person.phone = f"139{random.SystemRandom().randrange(10**8):08}"
        person.rest.post("/api/auth/sms-codes", {"phone": person.phone, "purpose": "register"})
        code = person.rest.sms_code(person.phone)
        person._signed_in(person.rest.post("/api/auth/register", {
            "phone": person.phone, "code": code, "password": "correct-horse-7", "name": name, "device": person.device,
        }))
        return person

    @classmethod
    def staff(cls, base_url, form, account, password="wenzhen-2026"):
        person = cls(base_url, form)
        person._signed_in(person.rest.post("/api/auth/staff/login", {"account": account, "password": password, "device": person.device}))
        return person

    def _signed_in(self, session):
        self.session = session
        self.rest.token = session["access_token"]
        self.id = session["user"]["id"]

    # The socket.

    def connect(self):
        self.socket = Socket(self.rest.base_url, self.form)
        return self.socket.hello(self.session["access_token"], self.device["id"])

    def leave(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def come_back(self, *conversations):
        """Connects again and resumes; answers what changed while away, entries included (section 6)."""
        self.connect()
        self.socket.send(Command(resume={"cursors": [self.of(it).cursor() for it in conversations]}))
        return self.socket.expect("heads")

    def of(self, conversation):
        return self.conversations.setdefault(conversation, held.Conversation(conversation))

    # Talk.

    def send(self, conversation, body, message=None):
        """Sends without waiting; answers the message id."""
        message = message or held.new_id()
        self.socket.send(Command(send={"conversation": conversation, "id": message, "body": body}))
        return message

    def say(self, conversation, body, message=None):
        """Sends and waits for `sent`."""
        message = self.send(conversation, body, message)
        return self.socket.expect("sent", lambda sent: sent.id == message)

    def refusal_of(self, message):
        return self.socket.expect("error", lambda error: error.re == message)

    def hears(self, conversation, message):
        """Waits for the entry with this id."""
        return self.hears_where(conversation, lambda entry: entry.id == message)

    def hears_kind(self, conversation, kind, matching=lambda _: True):
        return self.hears_where(conversation, lambda entry: entry.body.WhichOneof("kind") == kind and matching(getattr(entry.body, kind)))

    def hears_where(self, conversation, matching):
        mirror = self.of(conversation)
        for entry in mirror.in_order():
            if matching(entry):
                return entry
        while True:
            entry = self.socket.expect("entry", lambda entry: entry.conversation == conversation)
            mirror.take(entry)
            if matching(entry):
                return entry

    def pull(self, conversation, from_seq=1, limit=200, hash_prefix=b""):
        self.socket.send(Command(pull={"conversation": conversation, "from_seq": from_seq, "limit": limit, "hash_prefix": hash_prefix}))
        return self.socket.expect("page", lambda page: page.conversation == conversation)

    def catch_up(self, conversation):
        """Pulls what is missing, until nothing is."""
        mirror = self.of(conversation)
        while True:
            page = self.pull(conversation, mirror.seq + 1)
            for entry in page.entries:
                mirror.take(entry)
            if mirror.seq >= page.head_seq:
                return mirror

    def read(self, conversation, up_to_seq):
        self.socket.send(Command(read={"conversation": conversation, "up_to_seq": up_to_seq}))

    def delivered(self, conversation, up_to_seq):
        self.socket.send(Command(delivered={"conversation": conversation, "up_to_seq": up_to_seq}))

    def marks_of(self, other, conversation, matching):
        return self.socket.expect("marks", lambda marks: marks.user == other and marks.conversation == conversation and matching(marks))
