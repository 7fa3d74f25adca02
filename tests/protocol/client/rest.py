"""The HTTP interface as /api/openapi.json tells it: JSON in and out, problem documents for refusals, a bearer token for the person."""
import html
import re
import time
import uuid

import httpx


class Refused(Exception):
    """A problem document (RFC 9457)."""

    def __init__(self, answer):
        self.status = answer.status_code
        self.type = answer.headers.get("content-type", "")
        self.problem = answer.json() if "json" in self.type else {}
        self.code = self.problem.get("code")
        super().__init__(f"{answer.request.method} {answer.request.url.path}: {self.status} {self.problem or answer.text[:200]}")

    def told(self):
        """All that the answer tells, but the number of the request."""
        return self.status, {key: value for key, value in self.problem.items() if key != "request_id"}


class Rest:
    """One caller: a visitor until `token` is set."""

    def __init__(self, base_url):
        self.base_url = base_url
        self.token = None
        self.http = httpx.Client(base_url=base_url, timeout=30, trust_env=False)

    def close(self):
        self.http.close()

    def raw(self, method, path, *, headers=None, **parts):
        bearer = {"authorization": f"Bearer {self.token}"} if self.token else {}
        return self.http.request(method, path, headers=bearer | (headers or {}), **parts)

    def ask(self, method, path, **parts):
        answer = self.raw(method, path, **parts)
        if not answer.is_success:
            raise Refused(answer)
        return answer

    def get(self, path, **query):
        return self.ask("GET", path, params=query).json()

    def post(self, path, body=None, key=None):
        answer = self.ask("POST", path, json=body, headers={"idempotency-key": key} if key else None)
        return answer.json() if answer.content else None

    def put(self, path, body):
        return self.ask("PUT", path, json=body).json()

    def download(self, path):
        return self.ask("GET", path)

    def upload(self, kind, name, content, mime):
        return self.ask("POST", "/api/uploads", data={"kind": kind}, files={"file": (name, content, mime)}).json()

    def sms_code(self, phone, within_s=10):
        """The newest code sent to this number, from the page on which the demo shows its text messages; they take a moment to arrive."""
        ends = time.monotonic() + within_s
        while True:
            text = html.unescape(re.sub(r"<[^>]*>", " ", self.ask("GET", "/demo/inbox").text))
            _, arrived, rest = text.partition(phone)
            if arrived:
                return re.search(r"\b\d{6}\b", rest).group()
            assert time.monotonic() < ends, "no text message came"

    def pay_at_cashier(self, url, choice="pay"):
        """Reads the form of the demo's cashier page and presses the button that says so; answers how to press it again."""
        page = self.ask("GET", url).text
        target = re.search(r'<form[^>]*action="([^"]*)"', page)
        fields = {name: html.unescape(value) for name, value in re.findall(r'<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"', page)}
        button = next(found for found in re.findall(r"<button[^>]*>", page) if f'value="{choice}"' in found)
        fields[re.search(r'name="([^"]*)"', button).group(1)] = choice

        def press():
            return self.raw("POST", html.unescape(target.group(1)) if target and target.group(1) else url, data=fields)

        answer = press()
        assert answer.status_code < 400, answer.text
        return press


def device(label):
    return {"id": str(uuid.uuid4()), "label": label}
