# Load a shader (ISF, Shadertoy, gl-transitions, MadMapper) and draw it, without a preset file or a window.
# python docs/examples/draw_a_shader.py shaders/tunnel.fs tunnel.png
import sys
from pathlib import Path

from PIL import Image

from performer.gl.render.readback import Readback
from performer.gl.render.renderer import Renderer
from performer.gl.render.wait import finish
from performer.gl.window.offscreen import Offscreen
from performer.rig.check import music, trial
from performer.rig.loading import load_library
from performer.show.show import Show

library = load_library()
spec = library.load_shader(Path(sys.argv[1]))
preset = trial(spec, library)  # a preset with this shader alone; an effect gets a picture to work on
surface = Offscreen((640, 360))
renderer, show = Renderer(surface.ctx, library.shaders), Show([preset], preset.name)
features, sound = music(1.0)  # of a house beat, after a second
renderer.draw(show.step(1.0, 1 / 60, surface.size, features, sound), {}, surface.screen)
finish()
Image.fromarray(Readback(surface.ctx).read(surface.screen, surface.size)).save(sys.argv[2])
print(f"{spec.name}, a {spec.kind}: {', '.join(param.name for param in spec.inputs)}")
renderer.release()
surface.close()
