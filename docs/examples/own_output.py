# An output of your own: pictures of the show as an animated GIF. Like each output that comes along, it takes
# pictures without ever making the show wait, and does its work in a thread of its own.
# python docs/examples/own_output.py tidal loop.gif
import queue
import sys
import threading

import numpy as np
from PIL import Image

from performer.rig.offline import Performance
from performer.rig.options import RenderOptions


class Gif:
    """Collects pictures and saves them; a thread runs `run`."""

    def __init__(self, path: str, fps: float) -> None:
        self.path, self.dropped = path, 0
        self._pause_ms = round(1000 / fps)
        self._queue: queue.Queue[np.ndarray] = queue.Queue(32)

    def offer(self, pixels: np.ndarray) -> bool:
        """Take (H, W, 3) uint8, top row first; never waits. False when too many wait already."""
        try:
            self._queue.put_nowait(pixels.copy())
        except queue.Full:
            self.dropped += 1
            return False
        return True

    def run(self, stop: threading.Event) -> None:
        """Thread body: until `stop` is set and nothing waits any more."""
        pictures: list[Image.Image] = []
        while not (stop.is_set() and self._queue.empty()):
            try:
                pixels = self._queue.get(timeout=0.1)
            except queue.Empty:
                continue
            pictures.append(Image.fromarray(pixels).quantize(64))
        pictures[0].save(self.path, save_all=True, append_images=pictures[1:], duration=self._pause_ms, loop=0)


preset, out = sys.argv[1:]
gif, stop = Gif(out, fps=10), threading.Event()
thread = threading.Thread(target=gif.run, args=(stop,))
thread.start()
with Performance(RenderOptions(song="demo", out="", preset=preset, size=(160, 90), fps=10)) as performance:
    for _ in range(12):
        _frame, pixels, _sound = performance.step()
        gif.offer(pixels)
stop.set()
thread.join()
print(f"{out}: {gif.dropped} dropped")
