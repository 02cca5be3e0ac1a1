# Mix styles: rows give the coarse layers of a picture (shape), columns the middle and fine ones (texture, colour).
# python docs/examples/mix_styles.py molten mixed.png
import sys

import numpy as np
from PIL import Image

from performer.content.library import FACTORY
from performer.generators.onnx import session
from performer.latent.sphere import point

name, out = sys.argv[1:]
model = session.create(FACTORY / "models" / f"{name}.onnx", "cpu")
dim = model.card.latent
shapes, colours = [[point(seed, number, dim) * np.sqrt(np.float32(dim)) for number in range(3)] for seed in (1, 2)]
rows = [np.concatenate([model.paint(shape, colour, colour) for colour in colours], axis=2) for shape in shapes]
sheet = np.concatenate(rows, axis=1)  # (3, 3 height, 3 width), 0..1
Image.fromarray((sheet.transpose(1, 2, 0) * 255.0 + 0.5).astype(np.uint8)).save(out)
print("styles mixed" if model.mixes else "this model does not mix styles: all columns are alike")
