# A walk of your own: after this, a preset may say walk = { kind = "pendulum" }.
# It must be a function of its position alone, so that any moment can be sought: python docs/examples/own_walk.py
from math import sin

import numpy as np

from performer.latent.sphere import point, slerp
from performer.latent.walks import WALKS, latent, walk


@walk()
def pendulum(position: float, seed: int, dim: int) -> np.ndarray:
    """Swing to and fro between two keyframes, once in four units."""
    return slerp(point(seed, 0, dim), point(seed, 1, dim), 0.5 + 0.5 * sin(position * np.pi / 2.0))


print("walks:", ", ".join(WALKS))
for position in (0.0, 1.0, 2.0, 3.0, 4.0):
    print(position, latent("pendulum", position, seed=1, dim=64, truncation=1.0)[:3].round(3))
