"""What a performer's hands did while music played: recorded tick by tick, in .npz files that hold numbers alone.

A file has `heard` (n, len(NAMES)) float16, what a follower would have heard; `moves` (n, K) float32, where each knob
was then, NaN before it was first touched; `t` (n,) seconds; `knobs` and `gist`, the columns' names; and `tick_s`.
Knobs are addresses of parameters that a controller is routed to, 0..1 of their route's range; of those that are turned
outright, 0..1 of all that they can be; controllers by themselves (`midi.cc74`), 0..1; and the position of each walk
(`main.walk`).
"""

from __future__ import annotations

import logging
import os
import re
import threading
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np

from performer.audio.control_features import NAMES, TICK_S
from performer.io.record.movie import check_folder
from performer.show.gestures import Gestures
from performer.system import folders
from performer.system.errors import Fault
from performer.system.mailboxes import Ring
from performer.system.paths import expanded
from performer.types.frame import ControlEvent, Frame
from performer.types.params import Param

log = logging.getLogger(__name__)
SAVE_S = 10.0  # a crash costs no more than this
LATE_S = 20.0  # ticks that come later than this after their frame find a newer one: no sound may come for hours
PART_TICKS = 60_000  # of 20 minutes; then the next file begins
MOST_BYTES = 1 << 30  # in one file, unpacked
MOST_KNOBS = 1024
LEAST_FREE = 1 << 26
CONTROLS = ("midi.cc", "midi.bend", "midi.pressure", "midi.note", "midi.touch")


@dataclass(frozen=True)
class Moves:
    """One recording: see the module for its arrays."""

    heard: np.ndarray
    moves: np.ndarray
    t: np.ndarray
    knobs: tuple[str, ...]


def write(path: Path, moves: Moves) -> None:
    """Put a recording into its file, whole or not at all. Raises Fault."""
    with folders.replacing(path) as file:
        np.savez(
            file,
            heard=moves.heard,
            moves=moves.moves,
            t=moves.t,
            knobs=np.array(moves.knobs, np.str_),
            gist=np.array(NAMES),
            tick_s=np.array(TICK_S),
        )


def read(path: Path) -> Moves:
    """A recording from its file. Raises Fault."""
    try:
        with zipfile.ZipFile(path) as parts:
            if sum(part.file_size for part in parts.infolist()) > MOST_BYTES:
                raise Fault(f"{path}: more than {MOST_BYTES >> 20} MB; record several files instead")
        with np.load(path, allow_pickle=False) as parts:
            heard = parts["heard"]
            moves = parts["moves"]
            t = parts["t"]
            knobs = parts["knobs"]
            names = parts["gist"]
            tick_s = float(parts["tick_s"])
    except FileNotFoundError:
        raise Fault(f"{path}: no such recording") from None
    except KeyError as error:
        raise Fault(f"{path}: not a recording of moves: {error.args[0]}") from None
    except Fault:
        raise
    except Exception as error:  # what zipfile, zlib and numpy raise over damaged files has no common class
        raise Fault(
            f"{path}: not a recording of moves, or a truncated one ({' '.join(str(error).split())[:100]})"
        ) from None
    n = len(t) if t.ndim == 1 else -1
    if (
        heard.shape != (n, len(names))
        or moves.shape != (n, len(knobs))
        or knobs.dtype.kind != "U"
        or len(knobs) > MOST_KNOBS
        or {heard.dtype.kind, moves.dtype.kind, t.dtype.kind} != {"f"}
    ):
        raise Fault(f"{path}: its parts do not fit together: heard {heard.shape}, moves {moves.shape}, t {t.shape}")
    if tuple(names.tolist()) != NAMES or tick_s != TICK_S:
        raise Fault(f"{path}: other features were heard when this was recorded; record it again")
    if not (np.isfinite(heard).all() and np.isfinite(t).all()) or np.isinf(moves).any():
        raise Fault(f"{path}: contains inf or NaN")
    return Moves(heard.astype(np.float32), moves.astype(np.float32), t.astype(np.float64), tuple(knobs.tolist()))


class MovesRecorder:
    """Records what is heard, tick by tick, with what hands do meanwhile.

    Live a thread of its own runs `run`; offline `take` and `finish` are called instead.

    Parameters
    ----------
    path : str | Path
        NAME.npz, or a folder: a name by its number there. Long recordings go on in NAME.2.npz ...
    ticks : Ring
        Ticks of the listener.

    Raises
    ------
    Fault
        When the path is no good.
    """

    def __init__(self, path: str | Path, ticks: Ring) -> None:
        self.path = check_path(path)
        self.seconds = 0.0
        self._ticks = ticks
        self._read = ticks.written
        self._queue: SimpleQueue[tuple[float, dict[str, float]]] = SimpleQueue()
        self._gestures, self._controls = Gestures(), dict[str, float]()
        self._heard = np.zeros((PART_TICKS, len(NAMES)), np.float16)
        self._t = np.zeros(PART_TICKS)
        self._columns: dict[str, np.ndarray] = {}
        self._count = 0  # ticks in this part
        self._frames: list[tuple[float, dict[str, float]]] = []  # the newest before the next tick, and those after
        self._part = 1
        self._files: list[Path] = []  # of the parts
        self._over = False

    def offer(self, t: float, frame: Frame, events: Sequence[ControlEvent]) -> None:
        """Where everything is at time t (seconds, the show's clock); never waits. The show's thread only."""
        if self._over:  # nobody takes it any more
            return
        scene = frame.incoming or frame.scene
        self._gestures.begin()
        for event in events:
            if event.address.startswith(CONTROLS):
                self._gestures.take(event.address, event.value)
            elif (address := event.address.removeprefix("knob.")) in scene.preset.params:
                self._turn(address, event.value, scene.preset.params[address])
        self._gestures.end()
        moved = self._controls | self._gestures.values
        moved.update((target, x) for source, target, x in frame.routes if source.startswith("midi."))
        moved.update((f"{layer}.walk", walk.position) for layer, walk in scene.walks.items())
        self._queue.put((t, moved))

    def run(self, stop: threading.Event) -> None:
        """Thread body: keeps what comes in its file, every SAVE_S; at the end all of it."""
        waited = 0.0
        try:
            while not stop.wait(0.5):
                self.take()
                waited += 0.5
                if waited >= SAVE_S:
                    waited = 0.0
                    self.save()
            self.finish()
        except Fault as fault:
            log.error("moves are no longer recorded: %s", fault)
        except OSError as error:
            log.error("%s: moves are no longer recorded: %s", self.path, error.strerror)
        finally:
            self._over = True

    def take(self) -> None:
        """Match the ticks that have come with the frames that have."""
        while True:
            try:
                self._frames.append(self._queue.get_nowait())
            except Empty:
                break
        if self._frames:
            late = self._frames[-1][0] - LATE_S
            del self._frames[: next(i for i, (t, _) in enumerate(self._frames) if t >= late)]
        rows, lost = self._ticks.since(self._read)
        self._read += lost
        for row in rows:
            t = float(row[0])
            if not self._frames or self._frames[-1][0] < t:  # no frame yet after this tick
                break
            while len(self._frames) > 1 and self._frames[1][0] <= t:
                del self._frames[0]
            self._put(row, self._at(t))
            self._read += 1
            if self._count == PART_TICKS:
                self.save()
                self._columns = {}
                self._count = 0
                self._part += 1

    def save(self) -> None:
        """Put what there is into its file. Raises Fault, and OSError."""
        n = self._count
        if n:
            moves = np.array([column[:n] for column in self._columns.values()], np.float32)
            if self._part > len(self._files):
                self._files.append(self._claim())
            into = self._files[-1]
            try:
                write(into, Moves(self._heard[:n], moves.reshape(-1, n).T, self._t[:n], tuple(self._columns)))
            except (Fault, OSError):
                if into.stat().st_size == 0:
                    self._files.pop().unlink()
                raise

    def _claim(self) -> Path:
        """A file for this part, that nobody else writes to: another show may have begun one of that name meanwhile."""
        number = self._part
        while True:
            path = self.path if number == 1 else self.path.with_suffix(f".{number}.npz")
            try:
                path.open("xb").close()
            except FileExistsError:
                number += 1
            else:
                return path

    def finish(self) -> None:
        """The last of it, and say what there is. Raises Fault, and OSError."""
        self.take()
        self.save()
        log.info("%s", self.line())

    def line(self) -> str:
        """What was recorded, in words."""
        knobs = [knob for knob in self._columns if not knob.endswith(".walk")]
        return f"recorded {self._files[0] if self._files else self.path}: {self.seconds:.0f} s, " + (
            f"with {', '.join(knobs[:8])}{' ...' if len(knobs) > 8 else ''}"
            if knobs
            else "no parameter was moved: only the walks were recorded"
        )

    def _turn(self, address: str, value: float, param: Param) -> None:
        if param.kind == "float":
            low, high = float(param.low), float(param.high)  # type: ignore[arg-type]
            if high > low:  # a shader may declare a knob that has only one place
                self._controls[address] = min(max((value - low) / (high - low), 0.0), 1.0)

    def _at(self, t: float) -> dict[str, float]:
        """Where the knobs were at time t, between the frames before and after it."""
        (t0, before), (t1, after) = self._frames[0], self._frames[min(1, len(self._frames) - 1)]
        part = min(max((t - t0) / (t1 - t0), 0.0), 1.0) if t1 > t0 else 1.0
        return {knob: value + (before.get(knob, value) - value) * (1.0 - part) for knob, value in after.items()}

    def _put(self, row: np.ndarray, moved: dict[str, float]) -> None:
        n = self._count
        for knob in moved:
            if knob not in self._columns and len(self._columns) < MOST_KNOBS:
                self._columns[knob] = np.full(PART_TICKS, np.nan, np.float32)
        for knob, column in self._columns.items():
            column[n] = moved.get(knob, column[n - 1] if n else np.nan)
        self._t[n], self._heard[n] = row[0], row[1:]
        self._count += 1
        self.seconds += TICK_S


def check_path(path: str | Path) -> Path:
    """The file that a recording goes to; a folder is made where the name ends in a slash. Raises Fault."""
    wants_folder = str(path).endswith(("/", os.sep))
    path = expanded(path)
    if wants_folder and not path.exists():
        try:
            path.mkdir(parents=True)
        except OSError as error:
            raise Fault(f"{path}: cannot make this folder: {error.strerror}") from None
    if path.is_dir():
        names = [p.name[6:].split(".")[0] for p in path.glob("moves_*.npz")]  # of later parts too
        numbers = [int(name) for name in names if name.isdecimal()]
        path = path / f"moves_{max(numbers, default=0) + 1}.npz"
    if path.suffix != ".npz":
        raise Fault(f"{path}: expected a name that ends in .npz, or a folder (a new one: {path.name}/)")
    check_folder(path.parent, LEAST_FREE)
    if path.exists():
        raise Fault(f"{path}: there is a recording of that name already; choose another")
    part = re.compile(re.escape(path.stem) + r"\.\d+\.npz")
    if later := sorted(other.name for other in path.parent.iterdir() if part.fullmatch(other.name)):
        raise Fault(f"{path}: later parts of a recording of that name are there already ({later[0]}); choose another")
    return path
