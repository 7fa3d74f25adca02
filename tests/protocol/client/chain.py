"""Verifies a transcript as chat/PROTOCOL.md, section 12, tells it: from ids, headers and hashes of sealed bodies, without keys."""
import hashlib
import uuid

from google.protobuf import json_format
from wenzhen.v1.entry_pb2 import Entry

HEADER_BYTES = 43
URGENT, RECALL = 1, 2


class Broken(AssertionError):
    """The transcript is not what the hashes say."""


def entries_of(transcript):
    return [json_format.ParseDict(entry, Entry(), ignore_unknown_fields=True) for entry in transcript["entries"]]


def verify(transcript):
    """Computes every hash anew and holds headers against what the entries show; answers the hash of the newest entry."""
    conversation = uuid.UUID(transcript["conversation_id"]).bytes
    entries, links = entries_of(transcript), transcript["links"]
    if len(entries) != len(links):
        raise Broken("an entry without a link")
    known = hashlib.sha256(b"wenzhen conversation v1" + conversation).digest()
    for seq, (entry, link) in enumerate(zip(entries, links), start=1):
        header = bytes.fromhex(link["header"])
        if entry.seq != seq or header != header_of(entry, recall=bool(header[1] & RECALL)):
            raise Broken(f"entry {seq} shows something else than was hashed")
        known = hashlib.sha256(known + conversation + seq.to_bytes(8, "big") + header + bytes.fromhex(link["sealed_hash"])).digest()
        if known != entry.hash:
            raise Broken(f"entry {seq} does not follow the one before it")
    if known.hex() != transcript["head_hash"]:
        raise Broken("the end is not the head")
    return known


def header_of(entry, recall):
    """The header as the entry's visible fields make it; whether a withheld body was a recall, only the header tells."""
    if entry.HasField("body"):
        recall = entry.body.WhichOneof("kind") == "recall"
    sender = uuid.UUID(entry.sender).bytes if entry.sender else bytes(16)
    flags = URGENT * entry.urgent + RECALL * recall
    return bytes([1, flags, entry.sender_role]) + sender + uuid.UUID(entry.id).bytes + entry.at_ms.to_bytes(8, "big")
