"""What a device holds of one conversation: entries by seq without a gap, and the cursor to come back with (sections 4 to 6)."""
import os
import time
import uuid

HASH_PREFIX_BYTES = 8


class TwoTruths(AssertionError):
    """The same seq came with another hash."""


class Conversation:
    def __init__(self, conversation):
        self.id = conversation
        self.entries = {}
        self.repeated = 0

    def take(self, entry):
        assert entry.conversation == self.id
        held = self.entries.setdefault(entry.seq, entry)
        if held is not entry:
            self.repeated += 1
            if held.hash != entry.hash or held.id != entry.id:
                raise TwoTruths(f"seq {entry.seq}")

    @property
    def seq(self):
        """Newest seq held without a gap."""
        seq = 0
        while seq + 1 in self.entries:
            seq += 1
        return seq

    def in_order(self):
        return [self.entries[seq] for seq in sorted(self.entries)]

    def cursor(self):
        seq = self.seq
        prefix = self.entries[seq].hash[:HASH_PREFIX_BYTES] if seq else b""
        return {"conversation": self.id, "seq": seq, "hash_prefix": prefix}


def new_id():
    """A UUIDv7 (RFC 9562): 48 bits of milliseconds, then chance."""
    number = int.from_bytes(time.time_ns().__floordiv__(1_000_000).to_bytes(6, "big") + os.urandom(10), "big")
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=number))
