"""`performer presets`, `shaders` and `sources`: what there is to choose from, and to write into a preset."""

from __future__ import annotations

from performer.cli.options import Debug

#: Route sources that are not measured from the sound, and what each says.
SOURCES = {
    "audio.onsets": "counts every onset, for event inputs",
    "audio.kicks": "counts kick drums",
    "audio.snares": "counts snares and claps",
    "audio.hats": "counts hi-hats",
    "audio.drops": "counts drops: the beat comes back after a break",
    "beat.count": "counts beats",
    "beat.bars": "counts bars",
    "beat.phase": "0 at the beat, towards 1 at the next",
    "beat.pulse": "1 at the beat, falling; weak where the beat is not sure",
    "beat.bar": "0 at the downbeat, towards 1 at the next",
    "beat.confidence": "how sure the beat is",
    "beat.tempo": "tempo: 1 at 240 bpm",
    "midi.cc74": "a controller, cc0 to cc127",
    "midi.note60": "a note held: its velocity; note0 to note127",
    "midi.touch60": "pressure on a note, touch0 to touch127",
    "midi.bend": "pitch bend, 0.5 at rest",
    "midi.pressure": "channel pressure",
    "midi.velocity": "the loudest note that is held",
    "midi.note": "the newest note's height",
    "midi.notes": "counts notes",
    "midi.program": "the newest program change",
    "follower.sway": "a parameter of the preset's follower, by its name",
    "lfo.0.25": "a sine of so many hertz, up to 30",
    "time": "seconds since the show began",
}


def presets(debug: Debug = False) -> None:
    """List the presets, in the order of the digit keys."""
    from performer.rig.loading import load_library
    from performer.system import console_table

    library = load_library()
    rows = []
    for place, preset in enumerate(library.in_order()):
        models = dict.fromkeys(layer.model for layer in preset.layers if layer.model is not None)
        key = str((place + 1) % 10) if place < 10 else ""
        path = library.files[preset.name]
        rows.append((preset.name, key, preset.title, preset.mood, ", ".join(models), str(path)))
    console_table.put(("preset", "key", "title", "mood", "models", "file"), rows, spare=("file", "models", "title"))


def shaders(debug: Debug = False) -> None:
    """List the shaders: sources draw, filters change a picture, transitions lead from one preset to another."""
    from performer.rig.loading import load_library
    from performer.system import console_table

    order = ("source", "filter", "transition")
    found = load_library().shaders.values()
    rows = [
        (spec.name, spec.kind, ", ".join(param.name for param in spec.inputs), str(spec.path or ""))
        for spec in sorted(found, key=lambda spec: (order.index(spec.kind), spec.name))
    ]
    console_table.put(("shader", "kind", "inputs", "file"), rows, spare=("file", "inputs"))


def sources(debug: Debug = False) -> None:
    """List what the routes of a preset may come from."""
    from performer.audio.features import FEATURES
    from performer.system import console_table

    measured = []
    for name, feature in FEATURES.items():
        told = (feature.measure.__doc__ or f"How much of the note {name[7:].upper().replace('S', '#')} sounds").strip()
        measured.append((f"audio.{name}", told.splitlines()[0].rstrip(".")))
    console_table.put(("source", "what it says, 0..1 unless it counts"), [*measured, *SOURCES.items()])
