"""What decoders do not look at: streams that follow one another in a file, WAV whose length was never written."""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

OGG_HEADER = 27
OGG_FIRST = 2  # flag of the first page of a stream
SEARCH = 1 << 16
#: Bytes behind a WAV's sound from which on they may be sound too; fewer are a tag that some program hung on.
FORGOTTEN = 1 << 14
SHORTEST_MP3 = 1 << 10  # bytes


class Part(io.RawIOBase):
    """Bytes begin..end of a file that is open, as a file of their own."""

    def __init__(self, file: BinaryIO, begin: int, end: int) -> None:
        self._file = file
        self._begin = begin
        self._end = end
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._end - self._begin}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._end - self._begin - self._at)
        self._file.seek(self._begin + self._at)
        got = self._file.read(left if size is None or size < 0 else min(size, left))
        self._at += len(got)
        return got

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        got = self.read(len(buffer))
        buffer[: len(got)] = got
        return len(got)


def parts(file: BinaryIO, size: int) -> list[tuple[int, int]]:
    """Where the pieces of a file that decoders must be given one by one begin and end, in bytes.

    One for all of it, but for Ogg in which another stream begins after the first, and MP3 that goes on after the end
    that its head tells: a radio's recording, or files that were hung together.
    """
    file.seek(0)
    head = file.read(4)
    if head == b"OggS":
        begins = _oggs(file, size)
    elif head.startswith(b"ID3") or _frame_of_mp3(head):
        begins = _mp3s(file, size)
    else:
        begins = [0]
    return list(zip(begins, [*begins[1:], size], strict=True))


def _frame_of_mp3(head: bytes) -> bool:
    return len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2  # in step, and of the third layer


def _mp3s(file: BinaryIO, size: int) -> list[int]:
    """Where the MP3s in a file begin whose heads (Xing's, LAME's) tell how many bytes belong to them."""
    begins = [0]
    while True:
        at = begins[-1]
        file.seek(at)
        tag = file.read(10)
        if tag.startswith(b"ID3") and len(tag) == 10:  # four times seven bits
            at += 10 + (tag[6] << 21 | tag[7] << 14 | tag[8] << 7 | tag[9])
        file.seek(at)
        head = file.read(200)
        told = max(head.find(b"Xing"), head.find(b"Info"))
        if not _frame_of_mp3(head) or told < 0 or len(head) < told + 16:
            return begins
        flags, first, second = struct.unpack(">III", head[told + 4 : told + 16])
        end = at + {2: first, 3: second}.get(flags & 3, size)
        file.seek(min(end, size))
        after = file.read(128)
        if after.startswith(b"TAG"):
            end += 128
            after = file.read(4)
        if end <= at or size - end < SHORTEST_MP3 or not (after.startswith(b"ID3") or _frame_of_mp3(after)):
            return begins
        begins.append(end)


def _oggs(file: BinaryIO, size: int) -> list[int]:
    """Where the streams of an Ogg begin that follow one another; those that go side by side are one."""
    begins = [0]
    at = 0
    last = 0
    heads = True
    while at < size:
        file.seek(at)
        page = file.read(OGG_HEADER)
        if not page.startswith(b"OggS"):  # what was read last is damaged, or less than it says
            at = _next_page(file, last + 4, size)
            page = file.read(OGG_HEADER)
        if len(page) < OGG_HEADER:
            break
        last = at
        first = bool(page[5] & OGG_FIRST)
        if first and not heads:
            begins.append(at)
        heads = first
        at += OGG_HEADER + page[26] + sum(file.read(page[26]))
    return begins


def _next_page(file: BinaryIO, at: int, size: int) -> int:
    """Where the next page of an Ogg begins, from a place on; the file stands there."""
    while at < size:
        file.seek(at)
        found = file.read(SEARCH + 3).find(b"OggS")
        if found >= 0:
            file.seek(at + found)
            return at + found
        at += SEARCH
    file.seek(size)
    return size


def length_forgotten(file: BinaryIO, size: int) -> bool:
    """Whether a WAV says that its sound is shorter than it is: its recorder was switched off, or it is beyond 4 GB."""
    file.seek(0)
    head = file.read(12)
    if len(head) < 12 or head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:] != b"WAVE":
        return False
    at = 12
    long = 0
    while at + 8 <= size:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        if name == b"ds64" and length >= 16:
            long = struct.unpack("<QQ", file.read(16))[1]
        if name == b"data":
            if length == 0xFFFFFFFF and head[:4] != b"RIFF":
                length = long
            end = at + 8 + length + length % 2
            return size - end >= FORGOTTEN and not _chunk(file, end, size)
        at += 8 + length + length % 2
    return False


def _chunk(file: BinaryIO, at: int, size: int) -> bool:
    """Whether a chunk of a WAV, or another program's tag, stands there."""
    file.seek(at)
    head = file.read(8)
    if head.startswith((b"ID3", b"TAG", b"APETAGEX")):
        return True
    return all(32 <= byte < 127 for byte in head[:4]) and struct.unpack("<I", head[4:])[0] <= size - at - 8


def unfinished(file: BinaryIO) -> bool:
    """Whether it is an MP4 or QuickTime file without the index that is written last."""
    file.seek(0)
    head = file.read(8)
    return head[4:] in (b"ftyp", b"mdat", b"wide", b"free", b"skip")
