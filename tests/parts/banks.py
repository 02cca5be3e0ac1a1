"""Shows with banks."""

import numpy as np

from parts.scenes import TEXT, make
from performer.latent.bank import Bank
from performer.latent.sphere import unit
from performer.show.show import Show

D = 32


def place(seed: int) -> bytes:
    return (unit(np.random.default_rng(seed).standard_normal(D)) * np.sqrt(D)).astype(np.float32).tobytes()


def show(**more):
    bank = Bank("marble", D)
    for seed in (1, 2, 3):
        bank.keep(place(seed), tags=("night",))
    presets = [make(), make(TEXT.replace("First", "Second"), "second")]
    return Show(presets, "first", banks={"marble": bank}, **more), bank
