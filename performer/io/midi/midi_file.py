"""Standard MIDI files: what they play, in seconds. Pure.

Programs write files that break the specification (Standard MIDI Files 1.0, 1988) in harmless ways: this reads what can
be read, passes over what no show needs (names, keys, meters, chunks of other programs), and says the rest in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import unpack_from

from performer.system.errors import Fault, counted

TEMPO_US = 500_000  # microseconds in a quarter note, until the file says otherwise
HEADER = b"MThd"
TRACK = b"MTrk"
SEARCHED = 4096  # bytes in which a header is looked for, behind what other programs wrote before it
# status bytes
META = 0xFF
EXCLUSIVE = 0xF0
ESCAPE = 0xF7
# types of meta events
END = 0x2F
TEMPO = 0x51
LENGTHS = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}  # data bytes, by the upper half of the status
SYSTEM_LENGTHS = {0xF1: 1, 0xF2: 2, 0xF3: 1}
FRAME_RATES = {29: 30000 / 1001}  # "29" is the rate of NTSC video


@dataclass(frozen=True, slots=True)
class Performed:
    """What a file plays.

    Attributes
    ----------
    messages : list[tuple[float, bytes]]
        (seconds, bytes of one whole message), oldest first.
    seconds : float
        That it lasts.
    notes : list[str]
        In words, what was odd about the file or could not be read.
    """

    messages: list[tuple[float, bytes]]
    seconds: float
    notes: list[str]


@dataclass(slots=True)
class _Track:
    """messages, by tick; tempi (microseconds a quarter) by tick; where it ends or is damaged: byte, and tick."""

    messages: list[tuple[int, bytes]]
    tempi: list[tuple[int, int]]
    end: int = 0
    ticks: int = 0
    damaged: bool = False


def perform(data: bytes) -> Performed:
    """Read a Standard MIDI file, also one that is wrapped into RIFF (.rmi). Raises Fault, without the file's name."""
    notes: list[str] = []
    at = _header_at(data, notes)
    if len(data) < at + 14:
        raise Fault("it breaks off in its header")
    size, form, count, division = unpack_from(">IHHH", data, at + 4)
    if form > 2:
        notes.append(f"its format {form} is unknown; it is read as format 1")
    per_tick = _seconds_per_tick(division)
    tracks = _tracks(data, at + 8 + max(size, 6), notes)
    if not tracks:
        raise Fault("it holds no track")
    if count == 0:
        notes.append(f"its header says that it is empty; {counted(len(tracks), 'track')} read all the same")
    elif count != len(tracks):
        notes.append(f"its header says {counted(count, 'track')}, it holds {len(tracks)}")
    if form == 2 and len(tracks) > 1:
        notes.append(f"it holds {len(tracks)} patterns that do not belong together; played one after another")
        messages: list[tuple[float, bytes]] = []
        seconds = 0.0
        for track in tracks:
            played, length = _timed([track], per_tick, division)
            messages += [(seconds + t, message) for t, message in played]
            seconds += length
    else:
        messages, seconds = _timed(tracks, per_tick, division)
    if not messages:
        notes.append("it plays nothing")
    return Performed(messages, seconds, notes)


def _header_at(data: bytes, notes: list[str]) -> int:
    """Where the header begins. Raises Fault."""
    if data[:4] == HEADER:
        return 0
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        at = 12
        while at + 8 <= len(data):
            name, size = data[at : at + 4], unpack_from("<I", data, at + 4)[0]
            if name == b"data" and data[at + 8 : at + 12] == HEADER:
                return at + 8
            at += 8 + size + size % 2
    at = data.find(HEADER, 0, SEARCHED)
    if at < 0:
        raise Fault("it has no MIDI header" if data else "it is empty")
    notes.append(f"{counted(at, 'byte')} before its header passed over")
    return at


def _seconds_per_tick(division: int) -> float:
    """Seconds of a tick; 0 where ticks are parts of a quarter note, whose length tempi say. Raises Fault."""
    if not division & 0x8000:
        if not division:
            raise Fault("it has 0 ticks in a quarter note, so that nothing has a time")
        return 0.0
    frames = 256 - (division >> 8)
    parts = division & 0xFF
    if not parts:
        raise Fault("it has 0 ticks in a frame, so that nothing has a time")
    return 1.0 / (FRAME_RATES.get(frames, frames) * parts)


def _tracks(data: bytes, at: int, notes: list[str]) -> list[_Track]:
    """All tracks from a byte on; chunks of other kinds are passed over, as the specification asks."""
    found: list[_Track] = []
    while at + 8 <= len(data):
        name, size = data[at : at + 4], unpack_from(">I", data, at + 4)[0]
        if name != TRACK:
            if at + 8 + size > len(data) or not _is_name(name):  # no chunk: is there a track behind it?
                at = data.find(TRACK, at + 1)
                if at < 0:
                    break
                notes.append(f"what lies before byte {at} is no chunk; passed over")
            else:
                at += 8 + size
            continue
        number = len(found) + 1
        start = at + 8
        limit = at + 8 + size
        wrong = ""
        if not _may_end(data, limit):
            after = data.find(TRACK, start)
            wrong = "is cut off" if limit > len(data) and after < 0 else "has a wrong length"
            limit = len(data) if after < 0 else after
        track = _track(data, start, limit)
        if track.damaged and not wrong:
            wrong = f"is damaged at byte {track.end}; what follows in it is left out"
        if wrong:
            notes.append(f"track {number} {wrong}")
        found.append(track)
        at = track.end if data[track.end : track.end + 4] == TRACK else limit
    return found


def _is_name(name: bytes) -> bool:
    return all(0x20 <= byte < 0x7F for byte in name)


def _may_end(data: bytes, limit: int) -> bool:
    """Whether a chunk that ends here fits: the file ends too, or another chunk follows, or too little to be one."""
    left = len(data) - limit
    return 0 <= left < 8 or (left >= 8 and _is_name(data[limit : limit + 4]))


def _track(data: bytes, at: int, limit: int) -> _Track:
    """The events of a track from byte `at` up to its end mark, or to `limit`; what is damaged ends it."""
    made = _Track([], [])
    tick = 0
    running = 0
    part = memoryview(data)[:limit]
    try:
        while at < limit:
            made.end = at
            made.ticks = tick
            delta, at = _number(part, at)
            status = part[at]
            if status >= 0x80:
                at += 1
            elif running:
                status = running
            else:
                raise IndexError
            tick += delta
            if status == META:
                kind = part[at]
                at = _meta(made, tick, part, at)
                if kind == END:
                    limit = at
            elif status in (EXCLUSIVE, ESCAPE):
                size, at = _number(part, at)
                if status == ESCAPE and size and 0x80 <= part[at] != ESCAPE:  # bytes to be sent as they are
                    made.messages.append((tick, bytes(part[at : at + size])))
                at += size
            else:
                body = _body(part, at, status)
                if status < EXCLUSIVE:
                    running = status
                made.messages.append((tick, bytes((status,)) + body))
                at += len(body)
            if at > len(part):
                raise IndexError
        made.end = at
        made.ticks = tick
    except IndexError:
        made.damaged = True
    return made


def _meta(made: _Track, tick: int, part: memoryview, at: int) -> int:
    """Where a meta event ends, whose kind is the byte at `at`; a tempo is kept. Raises IndexError."""
    kind = part[at]
    size, at = _number(part, at + 1)
    if kind == TEMPO and size >= 3 and (tempo := int.from_bytes(part[at : at + 3])):
        made.tempi.append((tick, tempo))
    return at + size


def _body(part: memoryview, at: int, status: int) -> bytes:
    """The data bytes of a message, each at most 127. Raises IndexError where some are missing."""
    size = LENGTHS[status >> 4] if status < EXCLUSIVE else SYSTEM_LENGTHS.get(status, 0)
    body = bytes([min(byte, 0x7F) for byte in part[at : at + size]])
    if len(body) < size:
        raise IndexError
    return body


def _number(part: memoryview, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends. Raises IndexError where it goes on past four bytes."""
    value = 0
    for place in range(at, at + 4):
        byte = part[place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + 1
    raise IndexError


def _timed(tracks: list[_Track], per_tick: float, division: int) -> tuple[list[tuple[float, bytes]], float]:
    """The messages of tracks that sound together, with their seconds; and how long the longest track is."""
    tempi = sorted((change for track in tracks for change in track.tempi), key=lambda change: change[0])
    messages = sorted((message for track in tracks for message in track.messages), key=lambda message: message[0])
    made: list[tuple[float, bytes]] = []
    since = 0
    seconds = 0.0
    tempo = TEMPO_US
    at = 0
    if per_tick:
        tempi = []
    rate = per_tick or tempo * 1e-6 / division
    for tick, message in [*messages, (max(track.ticks for track in tracks), b"")]:
        while at < len(tempi) and tempi[at][0] <= tick:
            seconds += (tempi[at][0] - since) * rate
            since = tempi[at][0]
            rate = tempi[at][1] * 1e-6 / division
            at += 1
        made.append((seconds + (tick - since) * rate, message))
    length = made.pop()[0]
    return made, length
