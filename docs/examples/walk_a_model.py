# Walk through a model's latents from one keyframe to another, and save a strip of pictures.
# python docs/examples/walk_a_model.py molten strip.png
import sys

import numpy as np
from PIL import Image

from performer.content.library import FACTORY
from performer.generators.onnx import session
from performer.latent.walks import latent

name, out = sys.argv[1:]
model = session.create(FACTORY / "models" / f"{name}.onnx", "cpu")
positions = np.linspace(0.0, 1.0, 6)  # a walk's position counts keyframes
latents = [latent("tour", position, seed=7, dim=model.card.latent, truncation=0.9) for position in positions]
strip = np.concatenate([model.paint(z) for z in latents], axis=2)  # each (3, height, width), 0..1
Image.fromarray((strip.transpose(1, 2, 0) * 255.0 + 0.5).astype(np.uint8)).save(out)
