"""One socket: opens it, says hello, sends commands, and hands out events in the order in which they are asked for.

Events nobody asked for yet wait here, so that a test may look for a mark before an entry that came earlier. Every wait has an end.
"""
import time
from collections import deque
from contextlib import ExitStack

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from client.framing import Command

WAIT_S = 15


class NothingCame(AssertionError):
    """What was waited for did not come in time."""


class Socket:
    def __init__(self, base_url, form, **options):
        self.form = form
        self.arrived = deque()
        self.waiting = deque()
        url = base_url.replace("http", "ws", 1) + "/v1/socket"
        self.stack = ExitStack()
        options |= {"subprotocols": [form.subprotocol], "compression": None, "max_size": 2**20, "close_timeout": 2}
        self.connection = self.stack.enter_context(connect(url, **options))
        assert self.connection.subprotocol == form.subprotocol
        assert not self.connection.protocol.extensions, "frames are never compressed"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stack.close()

    def hello(self, access_token, device):
        self.send(Command(hello={"access_token": access_token, "device": device, "client": "protocol-tests/1"}))
        return self.expect("welcome")

    def send(self, *commands):
        for frame in self.form.frames(commands):
            self.connection.send(frame)

    def send_raw(self, frame):
        self.connection.send(frame)

    def expect(self, kind, matching=lambda _: True, within_s=WAIT_S):
        """The oldest event of this kind that matches and was not handed out before."""
        event = self.first(lambda event: event.WhichOneof("kind") == kind and matching(getattr(event, kind)), kind, within_s)
        return getattr(event, kind)

    def answer(self, message):
        """What became of a message: its `sent` or its `error`."""
        event = self.first(lambda event: event.sent.id == message or event.error.re == message, "answer")
        return getattr(event, event.WhichOneof("kind"))

    def first(self, wanted, name, within_s=WAIT_S):
        for at, event in enumerate(self.waiting):
            if wanted(event):
                del self.waiting[at]
                return event
        ends = time.monotonic() + within_s
        while not wanted(event := self._next(ends, name)):
            self.waiting.append(event)
        return event

    def waits(self, kind, matching=lambda _: True):
        """Events of a kind that came and were not handed out; takes what arrived up to the answer to a ping."""
        self.ping()
        return [getattr(event, kind) for event in self.waiting if event.WhichOneof("kind") == kind and matching(getattr(event, kind))]

    def ping(self):
        """A round trip: what the server had for this socket before it has arrived when this returns."""
        nonce = time.monotonic_ns()
        self.send(Command(ping={"nonce": nonce}))
        return self.expect("pong", lambda pong: pong.nonce == nonce)

    def closed(self, within_s=WAIT_S):
        """Reads to the end; (close code, reason)."""
        ends = time.monotonic() + within_s
        try:
            while True:
                self.waiting.append(self._next(ends, "close"))
        except ConnectionClosed as end:
            return end.rcvd.code, end.rcvd.reason

    def _next(self, ends, wanted):
        while not self.arrived:
            left = ends - time.monotonic()
            if left <= 0:
                raise NothingCame(f"no {wanted}; waiting: {[event.WhichOneof('kind') for event in self.waiting]}")
            try:
                self.arrived.extend(self.form.events(self.connection.recv(timeout=left)))
            except TimeoutError:
                continue
        return self.arrived.popleft()
