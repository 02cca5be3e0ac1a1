"""Parameters that layers have by what they are: walks, truncation, noise, directions, followers."""

from __future__ import annotations

from performer.types.params import Param

WALK_PARAMS = (
    Param("speed", default=0.15, low=0.0, high=4.0, unit="positions per second; per beat, bar or phrase where locked"),
    Param("kick", default=0.0, low=0.0, high=16.0, unit="positions per second"),
    Param("truncation", default=0.9, low=0.0, high=1.0),
)


TRUNCATION = Param("truncation", default=1.0, low=0.0, high=1.5, unit="of the way from the model's mean picture")


NOISE = (
    Param("noise", default=0.0, unit="how far a model's activations swell and shrink"),
    Param("noise_coarse", default=1.0, unit="share of it: in layers that say what is where"),
    Param("noise_middle", default=1.0, unit="share of it: in layers of details"),
    Param("noise_fine", default=1.0, unit="share of it: in layers of grain"),
    Param("noise_speed", default=0.5, low=0.0, high=16.0, unit="other noise, times per second"),
)


#: `follower.play.*`
FOLLOWER_PARAMS = (
    Param("amount", default=1.0),
    Param("wildness", default=1.0, low=0.0, high=2.0),
)


DIRECTION = Param("direction", default=0.0, low=-1.5, high=1.5)  # of every direction of a model, under its own name
