"""What a layer may show besides models and shaders, and the knobs of each: `LAYER.play.*`."""

from __future__ import annotations

from performer.types.params import Param

#: Kind of media -> its parameters.
MEDIA: dict[str, tuple[Param, ...]] = {
    "video": (
        Param("speed", default=1.0, low=-4.0, high=4.0, unit="times its own; negative: backwards"),
        Param("position", default=0.0, low=0.0, high=1.0, unit="of its length, added"),
        Param("beats", default=0.0, low=0.0, high=128.0, unit="beats that one round lasts; 0: its own time"),
    ),
    "camera": (),
    "pictures": (
        Param("speed", default=0.2, low=0.0, high=8.0, unit="pictures per second; or per beat, bar, phrase"),
        Param("fade", default=0.5, low=0.0, high=1.0, unit="of a picture's time, crossfading to the next"),
    ),
    "text": (
        Param("speed", default=1.0, low=0.0, high=8.0, unit="words per beat, bar or phrase; per second where free"),
        Param("size", default=0.8, low=0.02, high=1.0, unit="of the picture, which it never leaves"),
        Param("color", "color", (1.0, 1.0, 1.0, 1.0), 0.0, 1.0),
    ),
}

#: Kind -> what its speed is counted in, where the preset does not say.
LOCKS = {"video": "free", "camera": "free", "pictures": "free", "text": "beat"}
