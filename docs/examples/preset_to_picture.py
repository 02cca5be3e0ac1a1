# One picture of a preset, as it looks two seconds into the demo song.
# python docs/examples/preset_to_picture.py tidal tidal.png
import sys

from PIL import Image

from performer.rig.offline import Performance
from performer.rig.options import RenderOptions

preset, out = sys.argv[1:]
with Performance(RenderOptions(song="demo", out="", preset=preset, size=(640, 360), fps=10)) as performance:
    performance.lead_in(seconds=2.0)
    frame, pixels, _sound = performance.step()
Image.fromarray(pixels).save(out)
print(f"{frame.scene.preset.title} at {frame.t:.2f} s, {frame.features.bpm:.0f} bpm")
