"""An answer on its way back: a row of sealed parts that can be read only whole, in order and by its asker.

    key = HKDF-SHA256(answer secret, salt of the worker, job | node | attempt)
    part i = ChaCha20-Poly1305(key, nonce i, padded part, last?)

The number of a part is its nonce and the end is authenticated: a changed, repeated, missing, moved or foreign
part does not open. The worker's own random salt keeps a key from being used twice even if a router hands out
the same attempt again.
"""

from __future__ import annotations

import hashlib
import os
import struct
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from network.errors import AnswerAltered, AnswerIncomplete, AnswerOutOfOrder, AnswerTooLong, MessageInvalid
from network.padding import PaddingBroken, pad_chunk, unpad
from network.protocol.answers import AnswerChunk, AnswerStart
from network.protocol.content import AnswerEnd, AnswerFailed, AnswerPart
from network.protocol.fields import MAX_CHUNK_BYTES
from network.protocol.message import decode, encode

LONGEST_ANSWER_BYTES = 4 * 1024 * 1024
"""Of sealed parts: a hundred times the longest answer that models give."""

_TAG_BYTES = 16


class AnswerSealer:
    """A worker's side of one answer. Not thread-safe."""

    def __init__(self, answer_secret: bytes, job: str, node: str, attempt: int) -> None:
        self.start = AnswerStart(job=job, node=node, attempt=attempt, salt=os.urandom(32))
        """To be sent before the first part."""
        self._cipher = _cipher(answer_secret, self.start)
        self._transcript = _transcript(self.start)
        self._index = 0
        self._ended = False

    @property
    def transcript(self) -> bytes:
        """The digest of everything sealed so far; a receipt carries the one before the end."""
        return self._transcript.digest()

    def seal(self, part: AnswerPart) -> AnswerChunk:
        """Seal the next part. AnswerEnd and AnswerFailed are the last one.

        Raises:
            ValueError: the answer has ended, or the part is too long for a message.
        """
        if self._ended:
            raise ValueError("the answer has ended")
        last = isinstance(part, AnswerEnd | AnswerFailed)
        padded = pad_chunk(encode(part))
        if len(padded) + _TAG_BYTES > MAX_CHUNK_BYTES:
            raise ValueError("the part is too long")
        data = self._cipher.encrypt(_nonce(self._index), padded, _end_mark(last))
        chunk = AnswerChunk(
            job=self.start.job,
            node=self.start.node,
            attempt=self.start.attempt,
            index=self._index,
            last=last,
            data=data,
        )
        _add(self._transcript, data)
        self._index += 1
        self._ended = last
        return chunk


class AnswerOpener:
    """An asker's side of the answers of one worker, one attempt after the other. Not thread-safe.

    A message that is refused changes nothing: the right one may still follow.
    """

    def __init__(self, answer_secret: bytes, job: str, node: str) -> None:
        self._secret = answer_secret
        self._job = job
        self._node = node
        self._reading: _Attempt | None = None
        self._bytes = 0

    def __repr__(self) -> str:
        return f"AnswerOpener(node={self._node!r}, attempt={self.attempt})"

    @property
    def attempt(self) -> int:
        """The attempt whose parts are read now; 0 before the first."""
        return self._reading.start.attempt if self._reading else 0

    @property
    def complete(self) -> bool:
        """Whether the authentic end has arrived."""
        return self._reading is not None and self._reading.before_end is not None

    @property
    def transcript(self) -> bytes:
        """The digest of everything before the end, to compare with the receipt; empty until the end."""
        return (self._reading and self._reading.before_end) or b""

    def has(self, message: AnswerStart | AnswerChunk) -> bool:
        """Whether it was there already: who comes back says again what may not have arrived."""
        reading = self._reading
        if reading is None or message.attempt != reading.start.attempt:
            return False
        if isinstance(message, AnswerStart):
            return message == reading.start
        return message.index < reading.index

    def begin(self, start: AnswerStart) -> None:
        """A new attempt: what the earlier ones said is void.

        Raises:
            AnswerAltered: of another answer, of an earlier attempt, or after the whole answer.
        """
        if (start.job, start.node) != (self._job, self._node):
            raise AnswerAltered(self._node, "the start of another answer")
        if start.attempt <= self.attempt or self.complete:
            raise AnswerAltered(self._node, "the start was there already")
        self._reading = _Attempt(start, _cipher(self._secret, start), _transcript(start))

    def open(self, chunk: AnswerChunk) -> AnswerPart:
        """The next part.

        Raises:
            AnswerAltered: changed, or of another answer or attempt.
            AnswerOutOfOrder: another part was due.
            AnswerTooLong: beyond every limit.
            MessageInvalid: authentic, but no part of an answer.
        """
        reading = self._reading
        if reading is None or (chunk.job, chunk.node, chunk.attempt) != (
            self._job,
            self._node,
            reading.start.attempt,
        ):
            raise AnswerAltered(self._node, "a part of another answer")
        if self.complete or chunk.index != reading.index:
            raise AnswerOutOfOrder(self._node, reading.index, chunk.index)
        if self._bytes + len(chunk.data) > LONGEST_ANSWER_BYTES:
            raise AnswerTooLong(self._node)
        try:
            text = unpad(reading.cipher.decrypt(_nonce(chunk.index), chunk.data, _end_mark(chunk.last)))
        except (InvalidTag, PaddingBroken):
            raise AnswerAltered(self._node, "a part does not open") from None
        part: AnswerPart = decode(text, AnswerPart)  # type: ignore[arg-type]
        if isinstance(part, AnswerEnd | AnswerFailed) != chunk.last:
            raise MessageInvalid("an end that is not the last part, or a last part that is no end")
        if chunk.last:
            reading.before_end = reading.transcript.digest()
        _add(reading.transcript, chunk.data)
        reading.index += 1
        self._bytes += len(chunk.data)
        return part

    def finish(self) -> None:
        """Call when nothing more comes. Raises AnswerIncomplete unless the end was there."""
        if not self.complete:
            raise AnswerIncomplete(self._node)


@dataclass(slots=True)
class _Attempt:
    """How far one attempt has been read."""

    start: AnswerStart
    cipher: ChaCha20Poly1305 = field(repr=False)
    transcript: hashlib._Hash
    index: int = 0
    before_end: bytes | None = None


def _context(start: AnswerStart) -> bytes:
    return bytes.fromhex(start.job) + bytes.fromhex(start.node) + struct.pack(">I", start.attempt)


def _cipher(answer_secret: bytes, start: AnswerStart) -> ChaCha20Poly1305:
    key = HKDF(SHA256(), 32, salt=start.salt, info=b"dai answer 1\x00" + _context(start))
    return ChaCha20Poly1305(key.derive(answer_secret))


def _transcript(start: AnswerStart) -> hashlib._Hash:
    return hashlib.sha256(b"dai transcript 1\x00" + _context(start) + start.salt)


def _add(transcript: hashlib._Hash, data: bytes) -> None:
    transcript.update(struct.pack(">I", len(data)) + data)


def _nonce(index: int) -> bytes:
    return struct.pack(">4xQ", index)


def _end_mark(last: bool) -> bytes:
    return b"\x01" if last else b"\x00"
