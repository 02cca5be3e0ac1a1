"""What `performer calibrate` measured, kept in the user's settings folder: one small TOML file, by device name."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import tomlkit

from performer.rig.calibration.estimate import Estimate
from performer.system import folders, text_file, toml_file
from performer.system.errors import Fault, counted

MOST_MS = 1000.0
HEAD = "Written by `performer calibrate`: how late screens and sound inputs are beyond what the program knows."


def calibration_path() -> Path:
    """The file, which need not be there; on Linux ~/.config/performer/calibration.toml."""
    return folders.config() / "calibration.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One measurement.

    Attributes
    ----------
    what : str
        "screen": flashes later than clicks, tapped; "sound": clicks recorded later than they were played.
    device : str
        The display, or the sound input as "API: NAME".
    output : str
        The sound output as "API: NAME".
    delay_ms : float
        Milliseconds, with the spread of one tap or click, and the standard error of the whole.
    count : int
        Taps, or clicks, that were used.
    date : str
        ISO 8601.
    """

    what: str
    device: str
    output: str
    delay_ms: float
    spread_ms: float
    error_ms: float
    count: int
    date: str

    @classmethod
    def of(cls, what: str, device: str, output: str, found: Estimate) -> Measured:
        """An estimate of today."""
        return cls(
            what=what,
            device=device,
            output=output,
            delay_ms=round(found.delay_s * 1000.0, 1),
            spread_ms=round(found.spread_s * 1000.0, 1),
            error_ms=round(found.error_s * 1000.0, 1),
            count=found.count,
            date=date.today().isoformat(),
        )

    def note(self) -> str:
        """A few words for people."""
        how = counted(self.count, "tap" if self.what == "screen" else "click")
        return f"{self.device} {self.delay_ms:+.0f} ms by {how} on {self.date}"


def load(path: Path | None = None) -> list[Measured]:
    """All measurements, oldest first; none where there is no file. Raises Fault for a file that is no good."""
    path = path or calibration_path()
    try:
        text = text_file.read(path)
    except FileNotFoundError:
        return []
    except Fault as fault:
        raise Fault(f"{fault}; remove it, and calibrate again") from None
    try:
        rows = toml_file.loads(text).get("measured", [])
        made = [Measured(**row) for row in rows]
        if any(row.what not in ("screen", "sound") or not abs(row.delay_ms) <= MOST_MS for row in made):
            raise ValueError(f"`what` must be screen or sound, `delay_ms` at most {MOST_MS:.0f} either way")
    except (toml_file.TOMLDecodeError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise Fault(f"{path}: {error}; mend or remove it, and calibrate again") from None
    return made


def keep(measured: Measured, path: Path | None = None) -> Path:
    """Save a measurement in place of the one of the same devices; returns the file. Raises Fault."""
    path = path or calibration_path()
    key = (measured.what, measured.device, measured.output)
    rows = [row for row in load(path) if (row.what, row.device, row.output) != key] + [measured]
    document = tomlkit.document()
    document.add(tomlkit.comment(HEAD))
    tables = tomlkit.aot()
    for row in rows:
        tables.append(tomlkit.item(asdict(row)))
    document.append("measured", tables)
    try:
        folders.write_text(path, tomlkit.dumps(document))
    except Fault as fault:
        raise Fault(f"{fault}; what was measured: {measured.note()}") from None
    return path


def outside(rows: list[Measured], display: str, source: str) -> tuple[float, list[Measured]]:
    """Seconds that the picture must be drawn earlier than the program knows, and the measurements that say so.

    With d the screen's unknown delay, u the output's and v the input's: taps tell d - u, a microphone u + v, and what
    is heard through the input is v late by its own clock, so d + v is wanted, the sum of both. Of sound that the
    program plays, d - u is.

    Parameters
    ----------
    display : str
        Name of the screen.
    source : str
        The sound input as "API: NAME"; "" for sound that the program plays itself.
    """
    used = [row for row in rows if row.what == "screen" and row.device == display][-1:]
    output = used[0].output if used else None
    if source:
        used += [row for row in rows if row.what == "sound" and row.device == source and output in (None, row.output)][
            -1:
        ]
    return sum(row.delay_ms for row in used) / 1000.0, used
