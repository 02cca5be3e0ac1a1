"""A Status in words, for whoever shows it to people: HUD, operator window, control page."""

from __future__ import annotations

from math import ceil

from performer.system.errors import counted
from performer.types.status import Status


def modes(status: Status) -> list[str]:
    """Decks, what changes wait for, the autopilot, a tempo that was changed by hand."""
    words = []
    if status.live:
        off = "A" if status.live == "B" else "B"
        words.append(f"deck {status.live} live, {off}: {status.other or 'empty'}")
    if status.quantise != "now":
        words.append(f"changes on the {status.quantise}")
    if status.autopilot_bars:
        words.append(f"autopilot every {counted(status.autopilot_bars, 'bar')}")
    if status.tempo_factor != 1.0:
        words.append(f"tempo x{status.tempo_factor:g}")
    if moved := moved_by_hand(status.beat_moved, status.downbeat_moved, status.meter):
        words.append(moved)
    return words


def moved_by_hand(beat: float, downbeat: float, meter: int) -> str:
    """Where a person has moved the source's beat, and its downbeat, in beats; "" where they are as the source says."""
    phase = (beat + 0.5) % 1.0 - 0.5
    whole = (round(downbeat - beat) + meter // 2) % meter - meter // 2
    parts = [f"beat {phase:+.2f}"] if abs(phase) >= 0.005 else []
    parts += [f"downbeat {whole:+d}"] if whole else []
    return f"{', '.join(parts)} by hand" if parts else ""


def coming(status: Status) -> str:
    """The preset that comes next, and when; "" where nothing does."""
    wait = "" if status.beats is None else f" in {counted(ceil(status.beats), 'beat')}"
    if status.coming:
        return status.coming + wait
    return f"autopilot chooses{wait}" if wait else ""


def waiting(status: Status) -> str:
    """What is held, what waits for the music, and the modes, in one line."""
    words = [f"held: {status.held}"] if status.held else []
    if status.cued:
        words.append(coming(status))
    return ", ".join([*words, *modes(status)])
