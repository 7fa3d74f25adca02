"""Commands to frames and frames to events, in both forms of the one schema (chat/PROTOCOL.md, section 1)."""
from google.protobuf import json_format
from wenzhen.v1.socket_pb2 import Command, Event


class Truncated(Exception):
    """The frame ends inside a record."""


class Proto:
    """Binary frames of one or more records, each a varint length and that many bytes."""

    subprotocol = "wenzhen.v1.proto"

    @staticmethod
    def frames(commands):
        return [b"".join(record(command.SerializeToString()) for command in commands)]

    @staticmethod
    def events(frame):
        return [Event.FromString(body) for body in records(frame)]


class Json:
    """Text frames of one record each, in the canonical proto3 JSON mapping."""

    subprotocol = "wenzhen.v1.json"

    @staticmethod
    def frames(commands):
        return [json_format.MessageToJson(command, indent=None) for command in commands]

    @staticmethod
    def events(frame):
        return [json_format.Parse(frame, Event(), ignore_unknown_fields=True)]


def record(body):
    return varint(len(body)) + body


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def records(frame):
    at = 0
    while at < len(frame):
        length, at = read_varint(frame, at)
        if at + length > len(frame):
            raise Truncated
        yield frame[at : at + length]
        at += length


def read_varint(frame, at):
    number = shift = 0
    while True:
        if at >= len(frame):
            raise Truncated
        byte = frame[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


__all__ = ["Command", "Event", "Json", "Proto", "Truncated", "record", "records", "varint"]
