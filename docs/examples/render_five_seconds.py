# The first five seconds of a song as a film, with its sound.
# python docs/examples/render_five_seconds.py SONG film.mp4
import sys

from performer.rig.offline import render
from performer.rig.options import RenderOptions

song, out = sys.argv[1:]
render(RenderOptions(song=song, out=out, preset="tidal", size=(160, 90), fps=15, seconds=5.0, force=True))
