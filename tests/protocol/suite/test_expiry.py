"""Tokens that run out, on a server of their own whose tokens live seconds (section 2)."""
import os
import subprocess
import time
import unittest
import socket as sockets

import httpx

from client.framing import Command
from client.rest import Refused, Rest, device
from client.socket import Socket
from suite.ground import Json, PASSWORD

# Longer than a silent socket may wait with its hello, which is how the second test lets time pass.
TOKEN_TTL_S = 7


class Expiry(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with sockets.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        folder = os.path.join(os.environ["TESTED_WORK"], "expiry")
        os.makedirs(folder)
        cls.url = f"http://{address}"
        with open(os.path.join(folder, "server.log"), "wb") as log:
            cls.server = subprocess.Popen(
                [os.environ["TESTED_BINARY"], "serve", "--demo", "--addr", address, "--data", f"{folder}/data", "--keys", f"{folder}/keys"],
                env=os.environ | {"WENZHEN_ACCOUNTS__ACCESS_TOKEN_TTL_S": str(TOKEN_TTL_S)}, stdout=log, stderr=log)
        cls.addClassCleanup(cls.stop)
        ends = time.monotonic() + 30
        while not cls.ready():
            assert cls.server.poll() is None and time.monotonic() < ends, "the server is not ready"

    @classmethod
    def ready(cls):
        try:
            return httpx.get(f"{cls.url}/readyz", timeout=1, trust_env=False).is_success
        except httpx.TransportError:
            return False

    @classmethod
    def stop(cls):
        cls.server.terminate()
        cls.server.wait(timeout=30)

    def setUp(self):
        self.rest = Rest(self.url)
        self.addCleanup(self.rest.close)
        self.device = device("phone")
        self.session = self.rest.post("/api/auth/login", {"phone": "13800000001", "password": PASSWORD, "device": self.device, "remember": True})

    def socket(self):
        socket = Socket(self.url, Json)
        self.addCleanup(socket.close)
        return socket

    def test_a_socket_ends_with_its_token_and_the_token_is_good_nowhere_then(self):
        socket = self.socket()
        welcome = socket.hello(self.session["access_token"], self.device["id"])
        self.assertEqual(welcome.token_expires_at_ms, self.session["access_expires_at"])
        self.assertEqual(socket.closed(), (4003, "token_expired;within_ms=1000"))
        again = self.socket()
        again.send(Command(hello={"access_token": self.session["access_token"], "device": self.device["id"]}))
        self.assertEqual(again.closed()[0], 4003)
        self.rest.token = self.session["access_token"]
        with self.assertRaises(Refused) as refused:
            self.rest.get("/api/me")
        self.assertEqual((refused.exception.status, refused.exception.code), (401, "token_expired"))

    def test_a_refreshed_socket_outlives_its_first_token(self):
        left, socket = self.socket(), self.socket()
        left.hello(self.session["access_token"], self.device["id"])
        first = socket.hello(self.session["access_token"], self.device["id"]).token_expires_at_ms
        self.assertEqual(self.socket().closed()[0], 4001)
        newer = self.rest.post("/api/auth/refresh", {"refresh_token": self.session["refresh_token"]})
        socket.send(Command(refresh={"access_token": newer["access_token"]}))
        self.assertGreater(socket.expect("refreshed").token_expires_at_ms, first)
        self.assertEqual(left.closed()[0], 4003)
        self.assertGreaterEqual(socket.ping().server_time_ms, first)
        with self.assertRaises(Refused) as refused:
            self.rest.post("/api/auth/refresh", {"refresh_token": self.session["refresh_token"]})
        self.assertEqual(refused.exception.status, 401)
