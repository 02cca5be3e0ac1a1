"""A small world for tests: shaders as a preset sees them, and presets made from TOML text."""

from dataclasses import dataclass

from performer.content.presets import reader
from performer.types import preset
from performer.types.params import Param

AUDIO = ("level", "bass", "treble", "onset", "kick")


@dataclass(frozen=True)
class Spec:
    kind: str
    inputs: tuple[Param, ...] = ()


SHADERS = {
    "feedback": Spec(
        "filter",
        (
            Param("zoom", default=1.0, low=0.5, high=2.0),
            Param("hit", "event"),
            Param("tint", "color", (1.0, 1.0, 1.0, 1.0)),
        ),
    ),
    "bloom": Spec("filter", (Param("amount", default=0.5),)),
    "tunnel": Spec("source", (Param("speed", default=0.5),)),
    "dissolve": Spec("transition", (Param("softness", default=0.2),)),
}

TEXT = """
title = "First"
order = 1
[transition]
shader = "dissolve"
seconds = 2.0
[[layer]]
model = "marble"
[layer.walk]
kind = "tour"
speed = 0.5
seed = 7
[[layer.effect]]
shader = "feedback"
name = "echo"
inputs = { zoom = 1.02, tint = [1.0, 0.5, 0.2] }
[[layer]]
name = "top"
shader = "tunnel"
blend = "screen"
opacity = 0.4
[[master.effect]]
shader = "bloom"
[[route]]
from = "audio.bass"
to = "main.echo.zoom"
range = [1.0, 1.2]
attack = 0.01
release = 0.3
[[route]]
from = "audio.kicks"
to = "main.echo.hit"
[[route]]
from = "audio.kick"
to = "main.walk.kick"
range = [0.0, 4.0]
[[route]]
from = "midi.cc74"
to = "master.bloom.amount"
"""


def make(text: str = TEXT, name: str = "first") -> preset.Preset:
    return reader.load(
        text,
        name,
        where=f"presets/{name}.toml",
        shaders=SHADERS,
        audio=AUDIO,
        models={"marble": ("bright", "warm"), "nebula": ()},
    )
