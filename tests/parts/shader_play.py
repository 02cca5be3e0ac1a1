"""One shader alone, drawn and looked at pixel by pixel."""

import numpy as np

from performer.gl.render.compose import Compose
from performer.gl.render.node import Moment, Node
from performer.gl.render.program import Program
from performer.gl.render.target_pool import Pool

SIZE = (32, 20)
MAIN = "void mainImage(out vec4 fragColor, in vec2 fragCoord) {\n"


def play(world, spec, frames=3, params=None, textures=None):
    """(H, W, 4) of each frame."""
    pool = Pool(world.ctx, deep=False)
    black = world.ctx.texture((3, 3), 4, bytes(36))
    node = Node(world.ctx, pool, Compose(world.ctx), Program(world.ctx, spec), "n", black)
    pictures = []
    for at in range(frames):
        target = node.draw(Moment(SIZE, at / 4.0, 0.25, (2026.0, 11.0, 21.0, 3600.0)), params or {}, textures or {})
        pictures.append(np.frombuffer(target.texture.read(), np.uint8).reshape(SIZE[1], SIZE[0], 4) / 255.0)
        pool.give(target)
    node.release()
    node.program.release()
    return pictures
