"""Small pictures of places in a latent space, painted aside in the spare time of a processor."""

from __future__ import annotations

import hashlib
import io
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from time import thread_time

import numpy as np
from PIL import Image

from performer.system.mailboxes import Latest

log = logging.getLogger(__name__)
SIDE = 160  # pixels
MOST = 1500  # that are kept, of some 5 kB each
# times as long as it worked, the thread rests after a picture; and where frames come late
REST = 2.0
BUSY_REST = 6.0
LEAST_REST_S = 0.02

Paint = Callable[[str, bytes], np.ndarray]


def key_of(model: str, latent: bytes, stamp: float = 0.0) -> str:
    """The name of a place's picture, by a model whose file was changed then."""
    return hashlib.blake2s(f"{model}\0{stamp}\0".encode() + latent, digest_size=12).hexdigest()


def jpeg(pixels: np.ndarray, quality: int = 80, width: int | None = None) -> bytes:
    """(H, W, 3) uint8 as a JPEG file, at most so wide."""
    out, picture = io.BytesIO(), Image.fromarray(np.ascontiguousarray(pixels))
    if width is not None and picture.width > width:
        picture = picture.resize(
            (width, max(1, round(width * picture.height / picture.width))), Image.Resampling.BILINEAR, reducing_gap=1.5
        )
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


class LivePicture:
    """The live picture as a JPEG file, encoded once for all who look. Server's thread only.

    Parameters
    ----------
    pictures : Latest[ndarray]
        (H, W, 3) uint8.
    width : int
        To which it is made smaller.
    """

    def __init__(self, pictures: Latest[np.ndarray], width: int) -> None:
        self._pictures = pictures
        self._width = width
        self._made: tuple[int, bytes] = (0, b"")
        self.encoded = 0

    def newer(self, count: int) -> tuple[int, bytes] | None:
        """The newest picture and its number, where that is above `count`."""
        if self._pictures.count <= count:
            return None
        number, pixels = self._pictures.wait(count, 0.0)
        if pixels is None:
            return None
        if number != self._made[0]:
            self._made = (number, jpeg(pixels, 72, self._width))
            self.encoded += 1
        return self._made


class Thumbnails:
    """Paints what was wished for last, first things first.

    Parameters
    ----------
    paint : Paint
        (model, latent as bytes) -> (3, H, W) float32, 0..1; may raise anything.
    busy : callable, optional
        Whether the show needs all it can get.
    stamp : callable, optional
        Model -> when its file was changed: pictures by an older one are no longer its.
    """

    def __init__(
        self, paint: Paint, busy: Callable[[], bool] = lambda: False, stamp: Callable[[str], float] = lambda model: 0.0
    ) -> None:
        self._paint = paint
        self._busy = busy
        self._stamp = stamp
        self._stamps: dict[str, float] = {}
        self._wishes: Latest[tuple[tuple[str, str, bytes], ...]] = Latest()
        self._made: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self.painted = 0

    def wish(self, model: str, latents: Sequence[bytes]) -> None:
        """Have pictures of these, and forget what was wished before."""
        self._wishes.post(tuple((self.key(model, latent), model, latent) for latent in latents))

    def stamp(self, model: str) -> float:
        """When the model's file was changed; the thread looks again now and then."""
        if model not in self._stamps:
            self._stamps[model] = self._stamp(model)
        return self._stamps[model]

    def key(self, model: str, latent: bytes) -> str:
        """The name of a place's picture now."""
        return key_of(model, latent, self.stamp(model))

    def get(self, key: str) -> bytes | None:
        """A picture as a JPEG file; empty where it cannot be painted, None where it is not there yet."""
        with self._lock:
            return self._made.get(key)

    def run(self, stop: threading.Event) -> None:
        """Thread body: one picture after another, resting longer than working."""
        seen = 0
        while not stop.is_set():
            wishes = self._wishes.peek() or ()
            if wishes:
                self._stamps[wishes[0][1]] = self._stamp(wishes[0][1])
            wish = next((wish for wish in wishes if self.get(wish[0]) is None), None)
            if wish is None:
                seen, _ = self._wishes.wait(seen, 0.2)
                continue
            begun = thread_time()  # work, not waiting for a processor: who is starved anyway need not rest
            self._make(*wish)
            stop.wait(max(LEAST_REST_S, (BUSY_REST if self._busy() else REST) * (thread_time() - begun)))

    def _make(self, key: str, model: str, latent: bytes) -> None:
        try:
            pixels = np.clip(self._paint(model, latent).transpose(1, 2, 0) * 255.0 + 0.5, 0.0, 255.0).astype(np.uint8)
            side = min(pixels.shape[:2])
            top = (pixels.shape[0] - side) // 2
            left = (pixels.shape[1] - side) // 2
            square = Image.fromarray(pixels[top : top + side, left : left + side])
            made = jpeg(np.asarray(square.resize((SIDE, SIDE), Image.Resampling.BILINEAR)))
            self.painted += 1
        except Exception as error:  # a model that fails here fails on stage too, where more is said
            log.warning("no thumbnail of a snapshot of %s: %s", model, " ".join(str(error).split())[:160])
            made = b""
        with self._lock:
            self._made[key] = made
            while len(self._made) > MOST:
                self._made.popitem(last=False)
