"""Builds a folder of songs with known beats for `performer bench beats`, from Debian packages and a Python one.

    apt-get install lmms hydrogen openmpt123 fluidsynth
    mkdir debs && cd debs && apt-get download heroes-sound-tracks tecnoballz-data circuslinux-data solarwolf \
        criticalmass-data open-invaders-data planetblupi-music-midi fretsonfire-songs-muldjord mma csound-soundfont
    for deb in *.deb; do dpkg -x $deb ../root; done
    pip install --target SITE music21
    PYTHONPATH=SITE python songs.py root songs       # songs/one and songs/other: a hash of the names halves them

The truth is what the files say: the rows that are played of a module, the tempo map of a MIDI file, the measures of a
score, the tempo of a project. What their beats are was told from where bass drum, snare and bass are; songs in which
that is not clear were left out. No music is kept in this repository.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import mido
import numpy as np
import soundfile

RATE, SECONDS, BLOCK = 44_100, 50.0, 64

MODULES = {  # rows per beat
    "games/heroes/mod": (
        8,
        "heroes01 heroes02 heroes03 heroes04 heroes05 heroes06 heroes07 heroes08 heroes09 heroes10 menu",
    ),
    "games/heroes/mod/": (4, "endscroll"),
    "games/tecnoballz/musics": (
        4,
        "area1-game area2-game area3-game gardien-go high-score in-game-music-1_reg "
        "over-theme tecno-winn termigator_reg-zbb",
    ),
    "games/circuslinux/data/music": (4, "finally klovninarki"),
    "games/solarwolf/data/music": (8, "arg aster2_sw"),
    "games/criticalmass": (8, "lg-criti"),
    "open-invaders": (4, "endsong gamesong hiscore titlesong"),
}
MIDI = {
    "planetblupi/music": "music000 music001 music002 music003 music004 music005 music006 music007 music008 music009",
    "doc/mma/examples/aria": "bossa girl barb when-or-where",
    "doc/mma/examples/midi-inc": "frankie mid2seq/rockgroove mid2seq/countme",
    "doc/mma/examples/simple": "marine-hymn bill-bailey",
    "doc/mma/examples/tutorial": "fella2 deep-river",
    "doc/mma/examples/triggers": "hits",
}
SCORES = {  # of music21's corpus: quarters per minute, General MIDI programs of the parts in turn
    "joplin/maple_leaf_rag": (84, (0,)),
    "johnson_j_r/lift_every_voice": (100, (52, 0)),
    "schubert/Lindenbaum": (66, (52, 0, 0)),
    "haydn/opus74no1/movement3": (150, (40, 40, 41, 42)),
    "mozart/k458/movement4": (132, (40, 40, 41, 42)),
    "beethoven/opus18no4": (140, (40, 40, 41, 42)),
    "schumann_clara/polonaise_op1n1": (100, (0,)),
    "bach/bwv66.6": (80, (19,)),
    "bach/bwv1.6": (72, (52,)),
    "liliuokalani/aloha_oe": (92, (24, 52)),
    "ryansMammoth/AlhambraReel": (108, (40,)),
    "ryansMammoth/AnnieHughesJig": (170, (73,)),
    "leadSheet/berlinAlexandersRagtime": (110, (56,)),
}
PROJECTS = (
    "CapDan-ReggaetonTry CapDan-TwilightArea-OriginalByAlf42red CapDan-ZeroSumGame-OriginalByZakarra "
    "Impulslogik-Zen Momo64-esp Oglsdl-Dr8v2 Oglsdl-PpTrip Settel-InnerRecreation Shovon-ProgressiveHousePluckDemo "
    "Skiessi-Onion Socceroos-Progress StrictProduction-DearJonDoe Thomasso-AxeFromThe80s Crunk(Demo) DirtyLove "
    "Skiessi-222"
)
DRUMS = "GM_kit_Diddley GM_kit_Jazzy GM_kit_demo1 GM_kit_demo2 GM_kit_demo3 TR808kit-demo"
RECORDED = "armygeddon chaos_god internal_degeneration mutilated_mime"

Truth = tuple[list[float], list[float], list[float]]  # beats, downbeats, onsets


def module(path: Path, rows_per_beat: int) -> tuple[np.ndarray, Truth]:
    """A module as libopenmpt plays it; beats where rows of its patterns begin, four to a bar."""
    lib = ctypes.CDLL("libopenmpt.so.0")
    lib.openmpt_module_create_from_memory2.restype = ctypes.c_void_p
    lib.openmpt_module_get_pattern_row_channel_command.restype = ctypes.c_uint8
    data = path.read_bytes()
    song = ctypes.c_void_p(lib.openmpt_module_create_from_memory2(data, ctypes.c_size_t(len(data)), *[None] * 7))
    block, sound, at, last = np.zeros((BLOCK, 2), np.float32), [], 0, None
    beats, bars, onsets = [], [], []
    while at < SECONDS * RATE:
        got = lib.openmpt_module_read_interleaved_float_stereo(
            song, RATE, ctypes.c_size_t(BLOCK), block.ctypes.data_as(ctypes.c_void_p)
        )
        if not got:
            break
        pattern, row = lib.openmpt_module_get_current_pattern(song), lib.openmpt_module_get_current_row(song)
        here = (lib.openmpt_module_get_current_order(song), row)
        if here != last:
            last, now = here, at / RATE
            # a slow beginning (twice as many ticks to a row) has half as many rows to a beat
            slow = rows_per_beat == 8 and lib.openmpt_module_get_current_speed(song) >= 6
            rows = rows_per_beat // 2 if slow else rows_per_beat
            if row % rows == 0:
                beats.append(now)
            if row % (4 * rows) == 0:
                bars.append(now)
            if any(
                0 < lib.openmpt_module_get_pattern_row_channel_command(song, pattern, row, channel, 0) <= 120
                for channel in range(lib.openmpt_module_get_num_channels(song))
            ):
                onsets.append(now)
        sound.append(block[:got].copy())
        at += got
    lib.openmpt_module_destroy(song)
    return np.concatenate(sound).mean(1), (beats, bars, onsets)


def enough(command: list, out: Path) -> None:
    """Run a player that writes stereo PCM to a file; stop it when there is enough."""
    player = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    )
    while player.poll() is None and not (out.exists() and out.stat().st_size > 4 * RATE * (SECONDS + 2)):
        time.sleep(0.2)
    player.kill()
    player.wait()


def pcm(path: Path, header: int) -> np.ndarray:
    """Stereo 16 bit PCM after a header of so many bytes -> (n,) float32 mono."""
    raw = np.frombuffer(path.read_bytes()[header:], np.int16)
    return (raw[: len(raw) // 2 * 2].reshape(-1, 2)[: int(RATE * SECONDS)].mean(1) / 32768.0).astype(np.float32)


def midi(
    path: Path, font: Path, work: Path, first: float = 0.0, count: float | None = None, quarters: float | None = None
) -> tuple[np.ndarray, Truth]:
    """A MIDI file as FluidSynth plays it; beats of its tempo map and time signature.

    first     quarters before the first bar line
    count     beats in a bar, of so many `quarters` each, where the file does not say
    """
    out, file = work / "midi.raw", mido.MidiFile(path)
    out.unlink(missing_ok=True)
    enough(
        [
            "fluidsynth",
            "-niq",
            "-F",
            out,
            "-T",
            "raw",
            "-O",
            "s16",
            "-r",
            str(RATE),
            "-g",
            "0.5",
            "-C",
            "0",
            font,
            path,
        ],
        out,
    )
    sound = pcm(out, 0)
    per, bars_of, unit = file.ticks_per_beat, 4.0, 1.0
    tempi, tick, now, tempo, onsets = [(0, 0.0, 500_000)], 0, 0.0, 500_000, []
    for message in mido.merge_tracks(file.tracks):
        tick += message.time
        now += mido.tick2second(message.time, per, tempo)
        if message.type == "set_tempo":
            tempo = message.tempo
            tempi.append((tick, now, tempo))
        elif message.type == "time_signature":
            compound = message.denominator == 8 and message.numerator % 3 == 0
            bars_of = 4.0 * message.numerator / message.denominator
            unit = 1.5 if compound else 4.0 / message.denominator
        elif message.type == "note_on" and message.velocity:
            onsets.append(now)
    if count and quarters:
        bars_of, unit = count * quarters, quarters

    def seconds(place: float) -> float:
        tick, now, tempo = [entry for entry in tempi if entry[0] <= place * per + 1e-6][-1]
        return now + (place * per - tick) * tempo / per / 1e6

    end = min(SECONDS, onsets[-1] + 0.5)
    begun = [k * unit + first % unit for k in range(int(SECONDS * 5))]
    beats = [seconds(place) for place in begun]
    bars = [seconds(place) for place in begun if (place - first + 1e-6) % bars_of < 1e-3]
    return sound[: int((end + 1.0) * RATE)], ([t for t in beats if t < end], [t for t in bars if t < end], onsets)


def score(name: str, tempo: float, programs: tuple[int, ...], font: Path, work: Path) -> tuple[np.ndarray, Truth]:
    """A score of music21's corpus, played by FluidSynth; a short first measure is a pick-up."""
    from music21 import bar, corpus, instrument, repeat
    from music21 import tempo as marks

    piece = corpus.parse(name)
    for mark in list(piece.recurse().getElementsByClass((marks.MetronomeMark, marks.TempoText))):
        mark.activeSite.remove(mark)
    for mark in list(piece.recurse().getElementsByClass((repeat.RepeatExpression,))):
        mark.activeSite.remove(mark)
    for measure in piece.recurse().getElementsByClass("Measure"):
        for side in ("leftBarline", "rightBarline"):
            if isinstance(getattr(measure, side), bar.Repeat):
                setattr(measure, side, None)
    piece.parts[0].insert(0, marks.MetronomeMark(number=tempo))
    for number, part in enumerate(piece.parts):
        for old in list(part.recurse().getElementsByClass("Instrument")):
            old.activeSite.remove(old)
        player = instrument.Instrument()
        player.midiProgram = programs[min(number, len(programs) - 1)]
        part.insert(0, player)
    measures = list(piece.parts[0].getElementsByClass("Measure"))
    signature = measures[0].timeSignature
    full = signature.barDuration.quarterLength
    first = float(measures[1].offset) if measures[1].offset < full else 0.0
    path = Path(piece.write("midi", work / "score.mid"))
    return midi(path, font, work, first, float(signature.beatCount), float(signature.beatDuration.quarterLength))


def steady(path: Path, bpm: float, beats_per_bar: int, seconds: float) -> Truth:
    """Beats of a project in one tempo from 0 s on."""
    beats = [k * 60.0 / bpm for k in range(int(seconds * bpm / 60.0))]
    return beats, beats[::beats_per_bar] if beats_per_bar > 1 else [], []


def project(path: Path, work: Path) -> tuple[np.ndarray, Truth]:
    """An LMMS project; its player is stopped when there is enough."""
    data = path.read_bytes()
    text = (zlib.decompress(data[4:]) if path.suffix == ".mmpz" else data).decode("utf-8", "replace")
    bpm = float(re.search(r'<head[^>]*bpm="([\d.]+)"', text)[1])
    numerator = int(re.search(r'timesig_numerator="(\d+)"', text)[1])
    out = work / f"{path.stem}.wav"
    if not out.exists():
        enough(["lmms", "--allowroot", "render", path, "-f", "wav", "-s", str(RATE), "-o", out], out)
    sound = pcm(out, 44)
    loud = np.flatnonzero(np.abs(sound) > 1e-3)
    sound = sound[: loud[-1] + RATE // 2].astype(np.float32)
    return sound, steady(path, bpm, numerator, min(len(sound) / RATE, loud[-1] / RATE))


def drums(path: Path, work: Path) -> tuple[np.ndarray, Truth]:
    """A song of Hydrogen's, in bars of four."""
    text, out = path.read_text(), work / f"{path.stem}.wav"
    if not out.exists():
        subprocess.run(
            ["h2cli", "-s", path, "-o", out, "-d", "null", "-r", str(RATE)],
            capture_output=True,
            timeout=300,
            env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
            check=False,
        )
    sound = soundfile.read(out, dtype="float32", always_2d=True, stop=int(RATE * SECONDS))[0].mean(1)
    return sound, steady(path, float(re.search(r"<bpm>([\d.]+)", text)[1]), 4, len(sound) / RATE - 0.5)


def recorded(path: Path) -> tuple[np.ndarray, Truth]:
    """A band's recording beside its notes, for Frets on Fire."""
    tracks = [
        soundfile.read(path / f"{name}.ogg", dtype="float32", always_2d=True, stop=int(48_000 * SECONDS))
        for name in ("song", "guitar")
    ]
    count = min(len(sound) for sound, _ in tracks)
    sound, rate = sum(sound[:count].mean(1) for sound, _ in tracks) * 0.5, tracks[0][1]
    tempo = next(m.tempo for m in mido.merge_tracks(mido.MidiFile(path / "notes.mid").tracks) if m.type == "set_tempo")
    beats, bars, _ = steady(path, 60e6 / tempo, 4, SECONDS)
    if rate != RATE:
        raise ValueError(f"{path}: {rate} Hz")
    return sound, (beats, bars, [])


def build(root: Path, out: Path) -> None:
    """Render all, and write OUT/one and OUT/other."""
    share, work = root / "usr" / "share", out / "work"
    work.mkdir(parents=True, exist_ok=True)
    font = share / "sounds/sf2/sf_GMbank.sf2"
    songs = []
    for folder, (rows, names) in MODULES.items():
        for name in names.split():
            path = next(p for p in (share / folder).iterdir() if p.stem == name)
            songs.append((f"module_{path.stem}", lambda path=path, rows=rows: module(path, rows)))
    for folder, names in MIDI.items():
        for name in names.split():
            path = share / folder / f"{name}.mid"
            first = 1.0 if "mma" in folder else 0.0  # MMA's bars begin a beat into the file
            songs.append((f"midi_{path.stem}", lambda path=path, first=first: midi(path, font, work, first)))
    for name, (tempo, programs) in SCORES.items():
        songs.append((f"score_{name.replace('/', '_')}", lambda a=(name, tempo, programs): score(*a, font, work)))
    found = {path.stem: path for path in Path("/usr/share/lmms/projects").rglob("*.mmp*")}
    for name in PROJECTS.split():
        songs.append((f"lmms_{name}", lambda name=name: project(found[name], work)))
    for name in DRUMS.split():
        path = Path("/usr/share/hydrogen/data/demo_songs") / f"{name}.h2song"
        songs.append((f"drums_{name}", lambda path=path: drums(path, work)))
    for name in RECORDED.split():
        path = share / "games/fretsonfire/data/songs/muldjord" / name
        songs.append((f"band_{name}", lambda path=path: recorded(path)))
    _write(songs, out)


def _write(songs: list[tuple[str, Callable[[], tuple]]], out: Path) -> None:
    """Render those that are not there yet into the two halves, and write what each half holds."""
    entries: dict[str, list] = {"one": [], "other": []}
    for name, make in songs:
        half = ("one", "other")[zlib.crc32(name.encode()) & 1]
        if (out / half / f"{name}.json").exists():
            entries[half].append(json.loads((out / half / f"{name}.json").read_text()))
            continue
        try:
            sound, (beats, bars, onsets) = make()
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        (out / half).mkdir(exist_ok=True)
        peak = max(1e-6, float(np.abs(sound).max()))
        soundfile.write(out / half / f"{name}.flac", sound / peak * 0.8, RATE)
        end = len(sound) / RATE
        entry = {"file": f"{name}.flac"}
        for key, times in (("beats", beats), ("downbeats", bars), ("onsets", onsets)):
            if times:
                entry[key] = [round(t, 4) for t in times if t < end]
        entries[half].append(entry)
        (out / half / f"{name}.json").write_text(json.dumps(entry))
    for half, made in entries.items():
        (out / half / "manifest.json").write_text(json.dumps(made, indent=0))


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]))
