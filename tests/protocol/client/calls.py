"""The words of a call (signaling/PROTOCOL.md). Only signalling: no media flows from here."""
from client.framing import Command

FINGERPRINT = ":".join(["5A"] * 32)
HOST = "candidate:1 1 udp 2130706431 10.0.1.1 8998 typ host"


def sdp(setup="actpass", kinds=("audio", "video")):
    """A description as a browser makes it: DTLS fingerprint, ICE credentials, one section for each kind of media."""
    lines = ["v=0", "o=- 4611731400430051336 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE " + " ".join(map(str, range(len(kinds))))]
    for number, kind in enumerate(kinds):
        lines += [
            f"m={kind} 9 UDP/TLS/RTP/SAVPF {111 if kind == 'audio' else 96}", "c=IN IP4 0.0.0.0", "a=ice-ufrag:F7gI",
            "a=ice-pwd:x9cml/YzichV2+XlhiMu8gwk", f"a=fingerprint:sha-256 {FINGERPRINT}", f"a=setup:{setup}", f"a=mid:{number}",
            "a=sendrecv", "a=rtcp-mux", "a=rtpmap:111 opus/48000/2" if kind == "audio" else "a=rtpmap:96 VP8/90000",
        ]
    return "\r\n".join(lines) + "\r\n"


def command(call, **kind):
    return Command(call={"call": call, **kind})


class Line:
    """One person's end of a call."""

    def __init__(self, person, call):
        self.person = person
        self.call = call

    def say(self, **kind):
        self.person.socket.send(command(self.call, **kind))

    def hears(self, kind, matching=lambda _: True):
        event = self.person.socket.expect(
            "call", lambda event: event.call == self.call and event.WhichOneof("kind") == kind and matching(getattr(event, kind)))
        return getattr(event, kind)

    def refused(self):
        return self.person.socket.expect("error", lambda error: error.re == self.call)
