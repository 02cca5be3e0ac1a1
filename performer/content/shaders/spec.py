"""What a shader file says: its inputs, its passes, its GLSL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from performer.content.shaders.pass_size import Size
from performer.content.shaders.signals import Signal
from performer.types.params import Param

LARGEST = 8192  # pixels on a side of any target ...
MOST = 4096 * 4096  # ... and pixels in all, unless the picture itself has more

#: What is added to line numbers of a pass's second file: drivers don't keep GLSL's source string numbers reliably.
FILE_LINES = 100_000


@dataclass(frozen=True, slots=True)
class Pass:
    """One rendering pass.

    Attributes
    ----------
    target : str | None
        The buffer it draws to, or None for the picture itself.
    persistent : bool
        The buffer's content survives to the next frame.
    floating : bool
        32-bit floats instead of 8-bit 0..1.
    width : Size | None
        Its size; None means as large as the picture.
    """

    target: str | None = None
    persistent: bool = False
    floating: bool = False
    width: Size | None = None
    height: Size | None = None

    def size(self, full: tuple[int, int], values: Mapping[str, float]) -> tuple[int, int]:
        """Its (width, height) in pixels, 1..LARGEST; a side without a sensible value is the picture's.

        Parameters
        ----------
        values : Mapping[str, float]
            Values of the inputs that its expressions name.
        """
        known = {**values, "WIDTH": float(full[0]), "HEIGHT": float(full[1])}
        width, height = _side(self.width, full[0], known), _side(self.height, full[1], known)
        if width * height > max(MOST, full[0] * full[1]):
            part = (MOST / (width * height)) ** 0.5
            width = max(1, int(width * part))
            height = max(1, int(height * part))
        return width, height

    @property
    def names(self) -> frozenset[str]:
        """The inputs its size depends on."""
        used = (self.width.names if self.width else frozenset()) | (self.height.names if self.height else frozenset())
        return used - {"WIDTH", "HEIGHT"}


def _side(size: Size | None, full: int, values: Mapping[str, float]) -> int:
    number = size.value(values) if size is not None else None
    return max(full, 1) if number is None else int(min(max(number, 1.0), LARGEST))


@dataclass(frozen=True, slots=True)
class AudioInput:
    """A texture of sound: `width` samples (0..1, silence 0.5), or bins of the spectrum (0..1).

    Attributes
    ----------
    both : bool
        Two rows: the lower half of the spectrum (0 to a quarter of the sample rate), above it the samples.
    """

    name: str
    spectrum: bool
    width: int
    both: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShaderSpec:
    """A shader, read and translated; nothing of it has been near a graphics driver.

    Attributes
    ----------
    name : str
        By which presets call it: the file's name without ending.
    kind : str
        "source", "filter" (has inputImage) or "transition" (startImage, endImage, progress).
    inputs : tuple[Param, ...]
        Its knobs; a transition's progress is not among them, the show turns that.
    images : tuple[str, ...]
        Names of its image inputs.
    audio : tuple[AudioInput, ...]
        Its sound inputs.
    passes : tuple[Pass, ...]
        At least one.
    buffers : tuple[str, ...]
        Targets that no pass draws to but the shader reads (ISF 1).
    imported : tuple[tuple[str, Path], ...]
        (name, file) of pictures it brings along.
    fragment : str
        GLSL 3.30 core; its `#line` numbers are those of the author's .fs.
    vertex : str
        GLSL 3.30 core, likewise.
    corners : bool
        The vertex shader is the author's, drawn as a strip of four instead of one large triangle.
    costly : bool
        May be left out when frames come late.
    alpha : str
        What the author says of it: "premultiplied" (the shader reads and writes colours that are multiplied by theirs,
        and leaves opaque what was), "opaque" (it writes 1 everywhere) or "" (nothing: they are straight).
    warnings : tuple[str, ...]
        One line each: what was tolerated.
    fragments : tuple[str, ...]
        One fragment shader for each pass, where they are not the same.
    signals : tuple[Signal, ...]
        Numbers that the host makes for it, frame by frame.
    sources : tuple[tuple[str, ...], ...]
        For each pass its files, where it is not `path` alone; lines of the second begin at FILE_LINES + 1.
    """

    name: str
    kind: str
    description: str
    credit: str
    categories: tuple[str, ...]
    inputs: tuple[Param, ...]
    images: tuple[str, ...]
    audio: tuple[AudioInput, ...]
    passes: tuple[Pass, ...]
    buffers: tuple[str, ...]
    imported: tuple[tuple[str, Path], ...]
    fragment: str
    vertex: str
    corners: bool = False
    costly: bool = False
    alpha: str = ""
    path: Path | None = None
    warnings: tuple[str, ...] = ()
    fragments: tuple[str, ...] = ()
    sources: tuple[tuple[str, ...], ...] = ()
    signals: tuple[Signal, ...] = ()

    def glsl(self, index: int) -> tuple[str, str]:
        """The vertex and the fragment shader of one pass.

        PASSINDEX is a constant there: what other passes do is compiled away, where a uniform would be asked per pixel.
        """
        constant = f"const int PASSINDEX = {index};"
        fragment = self.fragments[index] if self.fragments else self.fragment
        return (
            self.vertex.replace("uniform int PASSINDEX;", constant, 1),
            fragment.replace("uniform int PASSINDEX;", constant, 1),
        )

    @property
    def where(self) -> str:
        """The file, for errors."""
        return str(self.path) if self.path is not None else self.name

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of all its buffers, each once, in the order they are first drawn to."""
        return tuple(dict.fromkeys([p.target for p in self.passes if p.target is not None])) + self.buffers
