"""A decoded picture of a video as a screen shows it: upright, of square pixels, in the colours that its file means."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter

LARGEST = 1920  # pixels on the longer side; what is larger is made smaller
OBLONG = 16  # a pixel that is longer than this is a mistake of the file's
# what says nothing of its colours is BT.601 up to here, and BT.709 beyond
SD_HEIGHT = 576
SD_WIDTH = 1279
#: ITU-T H.273's matrix coefficients -> swscale's; what is not here it knows by itself.
MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
UNSPECIFIED = 2
TINY = (16, 16)


class Screening:
    """Makes decoded pictures (H, W, 4) uint8.

    Parameters
    ----------
    aspect : Fraction | None
        Width of the file's pixels over their height; None where it does not say.
    """

    def __init__(self, aspect: Fraction | None) -> None:
        usable = aspect is not None and Fraction(1, OBLONG) <= aspect <= OBLONG
        self._aspect = float(aspect) if usable and aspect is not None else 1.0
        self._angle: int | None = None  # of the newest picture
        self._display: bytes | None = None
        self._scaler = VideoReformatter()  # kept, for it prepares tables when the kind of picture changes

    def shown(self, frame: av.VideoFrame) -> np.ndarray:
        """(H, W, 4) uint8. Raises ValueError or FFmpegError for a kind of picture that cannot be converted."""
        width = frame.width * max(1.0, self._aspect)
        height = frame.height / min(1.0, self._aspect)
        scale = min(1.0, LARGEST / max(width, height))
        converted = self._scaler.reformat(
            frame,
            max(1, round(width * scale)),
            max(1, round(height * scale)),
            "rgba",
            src_colorspace=_matrix(frame),
        )
        return _upright(converted.to_ndarray(), self._turned(frame))

    def _turned(self, frame: av.VideoFrame) -> bytes | None:
        """The display matrix, looked at where its angle is another one than before.

        PyAV's side data and its frame hold each other until garbage is collected, so it is that of a tiny copy.
        """
        if self._angle != frame.rotation:
            self._angle = frame.rotation
            matrix: Any = frame.reformat(*TINY, "gray").side_data.get("DISPLAYMATRIX")
            self._display = bytes(matrix) if matrix is not None else None
        return self._display


def _matrix(frame: av.VideoFrame) -> Colorspace | None:
    if frame.format.is_rgb:
        return None
    if frame.colorspace == UNSPECIFIED:
        large = frame.height > SD_HEIGHT or frame.width > SD_WIDTH
        return Colorspace.ITU709 if large else Colorspace.ITU601
    return MATRICES.get(frame.colorspace)


def _upright(picture: np.ndarray, matrix: bytes | None) -> np.ndarray:
    """Turned and mirrored by the file's display matrix, to the nearest quarter."""
    if matrix is None:
        return picture
    # A point (x, y) is shown at (a x + c y, b x + d y), y downwards.
    a, b, _, c, d = np.frombuffer(matrix, np.int32)[:5].tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):
        picture = picture.swapaxes(0, 1)
        across = c
        down = b
    else:
        across = a
        down = d
    picture = picture[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1]
    return np.ascontiguousarray(picture)
