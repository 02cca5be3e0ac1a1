"""The way of a picture from a card's memory into GL: shared memory, or pinned memory, or through the processor.

A generator's thread makes the picture and hands it over when it is done; all that is here belongs to the GL thread.
CUDA is reached through cuda-core, which only has to be there where pictures are on a card.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Sequence
from typing import Any, Protocol

import moderngl

from performer.types.image import GpuImage, Image

log = logging.getLogger(__name__)
COMPONENTS = {"float32": ("f4", 1.0), "float16": ("f2", 1.0), "uint8": ("f1", 255.0)}  # as GL has them, and its white


class Transport(Protocol):
    """One way, for one texture."""

    name: str

    def bring(self, image: Image) -> Image | None:
        """Take a picture that is on a card; the image that is in `texture` now, where that is a new one, else None.

        Called again with the same image until that is there. Raises whatever goes wrong: then the next way is taken.
        """

    @property
    def texture(self) -> moderngl.TextureArray | None:
        """The tensor as it is; None before one came, and where `Plain.pixels` has the picture."""

    def release(self) -> None: ...


class Cuda:
    """CUDA as the GL thread uses it: the card's primary context, which ONNX Runtime uses too, and a stream."""

    def __init__(self, device: int) -> None:
        from cuda import core

        self.core = core
        self.index = device
        self.device = core.Device(device)
        self.device.set_current()
        self.stream = self.device.create_stream()

    def given(self, picture: GpuImage) -> Any:
        """The picture's memory."""
        return self.core.Buffer.from_handle(picture.address, picture.size, owner=picture)

    def copy(self, picture: GpuImage, into: Any) -> Any:
        """Begin to copy it; the event that tells when that is done."""
        into.copy_from(self.given(picture), stream=self.stream)
        return self.stream.record(options=self.core.EventOptions())


class _Tensor:
    """A texture of the tensor's own kind: planes as layers, interleaved channels as components."""

    def __init__(self, ctx: moderngl.Context, picture: GpuImage) -> None:
        self.kind = kind(picture)
        sides = dict(zip(picture.layout, picture.shape, strict=True))
        channels, packed = sides.get("C", 1), picture.layout.endswith("HWC")
        self.texture = ctx.texture_array(
            (sides["W"], sides["H"], 1 if packed else channels),
            channels if packed else 1,
            dtype=COMPONENTS[picture.dtype][0],
        )
        self.texture.filter = (moderngl.NEAREST, moderngl.NEAREST)


def kind(picture: GpuImage) -> tuple[object, ...]:
    """What a texture and its buffers are made for."""
    return picture.shape, picture.layout, picture.dtype


class Shared:
    """A GL buffer that CUDA may write to: one copy on the card, no wait on this thread."""

    name = "shared"

    def __init__(self, ctx: moderngl.Context, cuda: Cuda) -> None:
        self._ctx = ctx
        self._cuda = cuda
        self._tensor: _Tensor | None = None
        self._buffer: moderngl.Buffer | None = None
        self._resource: Any = None
        self._flying: list[tuple[Any, GpuImage]] = []  # whose copy may still be going on: their memory is in use

    @property
    def texture(self) -> moderngl.TextureArray | None:
        return self._tensor.texture if self._tensor is not None else None

    def bring(self, image: Image) -> Image:
        picture = image.pixels
        assert isinstance(picture, GpuImage)
        self._flying = [(event, held) for event, held in self._flying if not event.is_done]
        if self._tensor is None or self._tensor.kind != kind(picture):
            self._fit(picture)
        assert self._buffer is not None and self._tensor is not None
        with self._resource.map(stream=self._cuda.stream) as mapped:  # after what GL still does with it
            self._flying.append((self._cuda.copy(picture, mapped), picture))
        self._tensor.texture.write(self._buffer)  # after the unmapping, which GL waits for by itself
        return image

    def _fit(self, picture: GpuImage) -> None:
        self.release()
        self._tensor = _Tensor(self._ctx, picture)
        self._buffer = self._ctx.buffer(reserve=picture.size, dynamic=True)
        self._resource = self._cuda.core.GraphicsResource.from_gl_buffer(self._buffer.glo, flags="write_discard")

    def release(self) -> None:
        """CUDA lets go first: a GL buffer must not go while it is registered."""
        resource = self._resource
        self._resource = None
        try:
            if resource is not None:
                for event, _ in self._flying:
                    event.sync()
                resource.close()
        except Exception as error:  # the context is gone, or the card is: there is nothing left to give back
            log.info("CUDA did not release a buffer: %s", error)
        self._flying = []
        if self._buffer is not None:
            self._buffer.release()
        if self._tensor is not None:
            self._tensor.texture.release()
        self._buffer = self._tensor = None


class Pinned:
    """Two pieces of pinned memory: one picture is copied from the card while the one before goes into GL.

    A picture so comes a frame later, and this thread waits for no copy from the card.
    """

    name = "pinned"

    def __init__(self, ctx: moderngl.Context, cuda: Cuda) -> None:
        self._ctx = ctx
        self._cuda = cuda
        self._tensor: _Tensor | None = None
        self._memory: list[Any] = []
        self._next = 0
        self._there = False
        self._coming: tuple[Any, Image, int] | None = None

    @property
    def texture(self) -> moderngl.TextureArray | None:
        return self._tensor.texture if self._tensor is not None and self._there else None

    def bring(self, image: Image) -> Image | None:
        picture = image.pixels
        taken = None
        assert isinstance(picture, GpuImage)
        if self._tensor is None or self._tensor.kind != kind(picture):
            self._fit(picture)
        assert self._tensor is not None
        if self._coming is not None and self._coming[0].is_done:
            _, taken, number = self._coming
            memory = self._memory[number]
            self._tensor.texture.write((ctypes.c_char * picture.size).from_address(int(memory.handle)))
            self._coming = None
            self._there = True
        if self._coming is None and image is not taken:
            self._coming = (self._cuda.copy(picture, self._memory[self._next]), image, self._next)
            self._next = 1 - self._next
        return taken

    def _fit(self, picture: GpuImage) -> None:
        self.release()
        self._tensor = _Tensor(self._ctx, picture)
        pool = self._cuda.core.LegacyPinnedMemoryResource()
        self._memory = [pool.allocate(picture.size, stream=self._cuda.stream) for _ in range(2)]

    def release(self) -> None:
        coming = self._coming
        self._coming = None
        self._there = False
        try:
            if coming is not None:
                coming[0].sync()  # it is still being written to
            for memory in self._memory:
                memory.close()
        except Exception as error:
            log.info("CUDA did not release memory: %s", error)
        self._memory = []
        if self._tensor is not None:
            self._tensor.texture.release()
            self._tensor = None


class Plain:
    """The processor fetches the picture, which then goes the way of those that it made itself."""

    name = "plain"
    texture = None

    def __init__(self) -> None:
        self.pixels: Any = None

    def bring(self, image: Image) -> Image:
        self.pixels = image.host
        return image

    def release(self) -> None:
        self.pixels = None


class Ways:
    """Which way pictures take in a context: the best that works; each failure is said once, and is for good.

    Parameters
    ----------
    kinds : Sequence[type[Shared] | type[Pinned]], optional
        Kinds of ways over CUDA, the best first; the one without it comes last.
    """

    def __init__(self, ctx: moderngl.Context, kinds: Sequence[type[Shared] | type[Pinned]] = (Shared, Pinned)) -> None:
        self._ctx = ctx
        self._left = list(kinds)
        self._cuda: Cuda | None = None
        self.used = False

    @property
    def name(self) -> str:
        """Of the way that pictures take now; empty while none has come from a card."""
        return "" if not self.used else self._left[0].name if self._left else Plain.name

    def transport(self, device: int) -> Transport:
        """A transport of the best kind. CUDA is made current on this thread."""
        self.used = True
        while self._left:
            try:
                if self._cuda is None or self._cuda.index != device:
                    self._cuda = Cuda(device)
                return self._left[0](self._ctx, self._cuda)
            except Exception as error:
                reason = "cuda-core is not installed" if isinstance(error, ImportError) else error
                self._left = []  # no way through CUDA at all
                log.warning("images are transferred through main memory: %s", reason)
        return Plain()

    def failed(self, transport: Transport, error: Exception) -> None:
        """A transport does not work: the next kind takes its place."""
        if self._left and self._left[0].name == transport.name:
            self._left.pop(0)
            log.warning(
                "image transfer to OpenGL by %s failed (%s); using %s",
                transport.name,
                " ".join(str(error).split())[:160] or repr(error),
                self.name,
            )

    def good(self, transport: Transport) -> bool:
        """Whether it is of the kind that is in use."""
        return transport.name == (self._left[0].name if self._left else Plain.name)
