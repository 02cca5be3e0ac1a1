"""A double of cuda-core, whose device memory is the processor's: what it maps is written into real GL buffers.

Like the real one it works in the order of its stream, and not before it must: a copy is made when its event is asked
for (unless the card is `busy`), when a mapped buffer goes back to GL, or when somebody waits. `calls` keeps what was
asked of it.
"""

from __future__ import annotations

import ctypes
import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

GL_COPY_WRITE_BUFFER = 0x8F37


class Error(Exception):
    """As CUDA's own: no common class with others."""


class Card:
    """What the double's objects share.

    busy   copies do not get done by themselves
    fails  names of calls that fail
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fails: set[str] = set()
        self.busy = False
        self.registered: set[int] = set()
        self.pinned = 0
        self._gl = ctypes.CDLL("libOpenGL.so.0")
        self._gl.glBufferSubData.argtypes = [ctypes.c_uint, ctypes.c_ssize_t, ctypes.c_ssize_t, ctypes.c_void_p]

    def call(self, name: str) -> None:
        self.calls.append(name)
        if name in self.fails:
            raise Error(f"CUDA_ERROR in {name}")

    def write(self, glo: int, memory: Any) -> None:
        """Bytes into a GL buffer; a wrong one is an error of GL's."""
        self._gl.glBindBuffer(GL_COPY_WRITE_BUFFER, glo)
        self._gl.glBufferSubData(GL_COPY_WRITE_BUFFER, 0, len(memory), ctypes.addressof(memory))
        self._gl.glBindBuffer(GL_COPY_WRITE_BUFFER, 0)
        if error := self._gl.glGetError():
            raise Error(f"GL error {error:#x}: buffer {glo} takes no {len(memory)} bytes")


def module(card: Card) -> types.ModuleType:
    """`cuda.core`, as far as it is used."""

    class Stream:
        def __init__(self) -> None:
            self.work: list[Callable[[], None]] = []

        def sync(self) -> None:
            while self.work:
                self.work.pop(0)()

        def record(self, event: Any = None, options: Any = None) -> Event:
            card.call("record")
            assert event is None and isinstance(options, EventOptions)
            return Event(self)

    class Event:
        def __init__(self, stream: Stream) -> None:
            self._stream, self._done = stream, False
            stream.work.append(lambda: setattr(self, "_done", True))

        def sync(self) -> None:
            self._stream.sync()

        @property
        def is_done(self) -> bool:
            if not card.busy:
                self._stream.sync()
            return self._done

    class EventOptions:
        pass

    class Buffer:
        def __init__(self, address: int, size: int, owner: Any, gone: Callable[[], None] = lambda: None) -> None:
            self.handle, self.size, self.owner, self._gone = address, size, owner, gone

        @staticmethod
        def from_handle(ptr: int, size: int, mr: Any = None, owner: Any = None, *, stream: Any = None) -> Buffer:
            return Buffer(ptr, size, owner)

        def copy_from(self, src: Buffer, *, stream: Stream, options: Any = None) -> None:
            card.call("copy")
            if src.size != self.size:
                raise Error("buffers differ in size")
            stream.work.append(lambda: ctypes.memmove(self.handle, src.handle, src.size))

        def close(self, stream: Any = None) -> None:
            self._gone()

        def __enter__(self) -> Buffer:
            return self

        def __exit__(self, *error: object) -> None:
            self.close()

    class GraphicsResource:
        def __init__(self, glo: int) -> None:
            self._glo, self.is_closed = glo, False

        @classmethod
        def from_gl_buffer(cls, gl_buffer: int, *, flags: Any = None, stream: Any = None) -> GraphicsResource:
            card.call("register")
            assert flags == "write_discard" and gl_buffer not in card.registered
            card.registered.add(gl_buffer)
            return cls(gl_buffer)

        def map(self, *, stream: Stream) -> Buffer:
            card.call("map")
            size = ctypes.c_int()
            card._gl.glBindBuffer(GL_COPY_WRITE_BUFFER, self._glo)
            card._gl.glGetBufferParameteriv(GL_COPY_WRITE_BUFFER, 0x8764, ctypes.byref(size))  # GL_BUFFER_SIZE
            memory = (ctypes.c_char * size.value)()

            def unmap() -> None:
                card.call("unmap")
                stream.sync()  # CUDA's promise: what was asked for before is done before GL goes on
                card.write(self._glo, memory)

            return Buffer(ctypes.addressof(memory), size.value, memory, unmap)

        def close(self, stream: Any = None) -> None:
            card.call("unregister")
            card.registered.discard(self._glo)
            self.is_closed = True

    class LegacyPinnedMemoryResource:
        def allocate(self, size: int, *, stream: Any = None) -> Buffer:
            card.call("allocate")
            memory = (ctypes.c_char * size)()
            card.pinned += 1

            def gone() -> None:
                card.pinned -= 1

            return Buffer(ctypes.addressof(memory), size, memory, gone)

    class Device:
        def __init__(self, device_id: int | None = None) -> None:
            card.call("device")

        def set_current(self, ctx: Any = None) -> None:
            card.call("current")

        def create_stream(self, obj: Any = None, options: Any = None) -> Stream:
            return Stream()

    made = types.ModuleType("cuda.core")
    for part in (Buffer, Device, Event, EventOptions, GraphicsResource, LegacyPinnedMemoryResource, Stream):
        setattr(made, part.__name__, part)
    return made


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    """A card in this machine, as far as the way of pictures into GL can tell."""
    made = Card()
    core = module(made)
    package = types.ModuleType("cuda")
    package.core = core  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cuda", package)
    monkeypatch.setitem(sys.modules, "cuda.core", core)
    return made
