# Keep two places of a model in a bank, and breed eight offspring of them: the same seed gives the same children.
# python docs/examples/breed_places.py molten children.png
import sys

import numpy as np
from PIL import Image

from performer.content.library import FACTORY
from performer.generators.onnx import session
from performer.latent.bank import Bank, child
from performer.latent.walks import latent

name, out = sys.argv[1:]
model = session.create(FACTORY / "models" / f"{name}.onnx", "cpu")
bank = Bank(name, model.card.latent)
for position in (0.0, 5.0):
    bank.keep(latent("drift", position, seed=4, dim=bank.dim, truncation=0.9).tobytes())
children = [child([place.latent for place in bank.places], seed=1, number=number) for number in range(8)]
row = np.concatenate([model.paint(np.frombuffer(one, np.float32)) for one in children], axis=2)
Image.fromarray((row.transpose(1, 2, 0) * 255.0 + 0.5).astype(np.uint8)).save(out)
print("kept:", ", ".join(place.name for place in bank.places))
