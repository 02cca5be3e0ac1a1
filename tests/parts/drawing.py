"""Frames and shaders, drawn offscreen."""

from types import SimpleNamespace

import numpy as np

from performer.content import shaders as isf
from performer.types.features import Features, Sound
from performer.types.frame import Frame, Scene
from performer.types.preset import Layer, Transition
from performer.types.preset import Node as Effect

SIZE = (64, 36)


def make(name, code, header="{}"):
    return isf.parse(f"/*{header}*/\n{code}", name)


RAMP = make(
    "ramp",
    "void main() { gl_FragColor = vec4(isf_FragNormCoord, level, 1.0); }",
    '{"INPUTS": [{"NAME": "level", "TYPE": "float", "DEFAULT": 0.25}]}',
)


INVERT = make(
    "invert",
    "void main() { gl_FragColor = vec4(1.0 - IMG_THIS_PIXEL(inputImage).rgb, 1.0); }",
    '{"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}], "PERFORMER": {"COST": "high"}}',
)


FADE = make(
    "fade",
    """void main() {
  gl_FragColor = mix(IMG_THIS_PIXEL(startImage), IMG_THIS_PIXEL(endImage), progress);
}""",
    '{"INPUTS": [{"NAME": "startImage", "TYPE": "image"}, {"NAME": "endImage", "TYPE": "image"}]}',
)


FLAT = make(
    "flat_colour",
    "void main() { gl_FragColor = colour; }",
    '{"INPUTS": [{"NAME": "colour", "TYPE": "color", "DEFAULT": [0.5, 0.25, 0.0, 1.0]}]}',
)


BROKEN = make("broken", "void main() {\n  gl_FragColor = vec4(nothing);\n}")


SHADERS = {spec.name: spec for spec in (RAMP, INVERT, FADE, FLAT, BROKEN)}


def read(fbo, size=SIZE):
    """(H, W, 3) floats, the first row on top."""
    return np.frombuffer(fbo.read(components=3), np.uint8).reshape(size[1], size[0], 3)[::-1] / 255.0


def layer(name="main", model=None, shader=None, effects=(), blend="normal"):
    return Layer(
        name=name, model=model, shader=shader, walk=None, effects=tuple(Effect(n, n) for n in effects), blend=blend
    )


def preset(*layers, master=(), transition="fade"):
    shaders = [one.shader for one in layers if one.shader] + [node.shader for one in layers for node in one.effects]
    return SimpleNamespace(
        layers=layers,
        master=tuple(Effect(n, n) for n in master),
        base={},
        routes=(),
        transition=Transition(transition, 1.0),
        shaders=(*shaders, *master, transition),
    )


def frame(scene, index=0, t=0.0, **more):
    return Frame(index=index, t=t, dt=1 / 60, size=SIZE, features=Features(), sound=Sound(), scene=scene, **more)


def scene(preset, number=1, t=0.0, **params):
    return Scene(number, preset, {key.replace("__", "."): value for key, value in params.items()}, {}, t)
