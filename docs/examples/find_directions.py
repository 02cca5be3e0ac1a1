# Find named directions in a model's latents (bright, warm, detail ...), and save a strip of what the first one does.
# python docs/examples/find_directions.py molten direction.png
import sys

import numpy as np
from PIL import Image

from performer.content.library import FACTORY
from performer.generators.onnx import session
from performer.generators.tools.find_directions import explore
from performer.latent.directions import turned
from performer.latent.walks import latent

name, out = sys.argv[1:]
model = session.create(FACTORY / "models" / f"{name}.onnx", "cpu")
directions, stories = explore(model, seed=1, samples=150)  # more samples find more, and surer
for story in stories:
    print(f"{story.name:10} {story.kind:10} explains {story.explains:.2f}")
z = latent("tour", 0.0, seed=3, dim=model.card.latent, truncation=0.8)
strip = np.concatenate([model.paint(turned(z, [amount], directions)) for amount in (-1.5, 0.0, 1.5)], axis=2)
Image.fromarray((strip.transpose(1, 2, 0) * 255.0 + 0.5).astype(np.uint8)).save(out)
