"""The window: a GL 3.3 core context on a chosen monitor, and keys that become ControlEvents."""

from __future__ import annotations

import ctypes
import logging
import time
from collections.abc import Callable
from typing import Any

import moderngl

from performer.system.errors import Fault, nearest
from performer.system.interrupts import Withheld
from performer.system.numbers import whole_number
from performer.types.actions import BY_KEY, TWICE_WITHIN_S, Key
from performer.types.frame import ControlEvent

with Withheld():  # it asks libraries for their versions in processes of their own
    import glfw

#: Keys that type no character, and digits, which some keyboards type only with shift: known by their place.
_PLACES = {
    getattr(glfw, "KEY_" + {"esc": "escape"}.get(key, key).upper()): entry
    for key, entry in BY_KEY.items()
    if len(key) > 1 or key.isdigit()
}
_PLACES |= {getattr(glfw, f"KEY_KP_{digit}"): BY_KEY[str(digit)] for digit in range(10)}

_errors: list[str] = []
_changes = 0  # how often monitors came or went
log = logging.getLogger(__name__)


class Window:
    """A window with its own GL 3.3 core context; main thread only.

    `ctx` is the moderngl context, `screen` the framebuffer to draw to, `size` its pixels as of the last `poll`.
    Draw to the screen with a program: `copy_framebuffer` would go by the size it was opened with.

    Parameters
    ----------
    size : tuple[int, int], optional
        (width, height) wanted, in screen units: pixels where the desktop does not scale.
    monitor : str | int, optional
        Index, part of a name (any case), or None for the one the window is on.
    fullscreen : bool, optional
        Start in full screen.
    title : str, optional
        Title of the window.
    vsync : bool, optional
        Wait for the screen in `swap`; of several windows only one may.
    clock : callable, optional
        Gives the seconds that events are stamped with: the show's clock.

    Raises
    ------
    Fault
        When there is no display or no such monitor.
    """

    def __init__(
        self,
        size: tuple[int, int] = (1280, 720),
        monitor: str | int | None = None,
        fullscreen: bool = False,
        title: str = "performer",
        *,
        vsync: bool = True,
        clock: Callable[[], float] = time.perf_counter,
        visible: bool = True,
    ) -> None:
        _start()
        self.vsync = vsync
        self._clock = clock
        self._events: list[ControlEvent] = []
        self._press: Key | None = None
        self._fresh = False  # the newest key event was a first press, not a repeat
        self._last_press: dict[str, float] = {}
        self._monitor = None if monitor is None else _find(monitor)
        self._screen_name = "" if self._monitor is None else _name(self._monitor)  # by which it is found again
        self._filling = False  # full screen was asked for
        self._away = False  # and its monitor is gone
        self._changes = _changes
        self._place = (*self._centre(size), *size)  # x, y, width, height to come back to from full screen
        self._handle = self._open(size, title, visible)
        glfw.make_context_current(self._handle)
        glfw.swap_interval(1 if vsync else 0)
        self.ctx = moderngl.create_context(require=330)
        self.size = size
        self.screen = self.ctx.screen
        glfw.set_key_callback(self._handle, self._on_key)
        glfw.set_char_callback(self._handle, self._on_char)
        glfw.set_window_close_callback(self._handle, self._on_close)
        if self._monitor is not None:
            glfw.set_window_pos(self._handle, *self._place[:2])
        if fullscreen:
            self.set_fullscreen(True)
        glfw.poll_events()
        self._measure()

    def second(self, size: tuple[int, int], title: str) -> Any:
        """Another window that shares this one's textures and keys; its context is left current by nobody."""
        handle = self._open(size, title, True, self._handle)
        glfw.set_key_callback(handle, self._on_key)
        glfw.set_char_callback(handle, self._on_char)
        return handle

    def make_current(self) -> None:
        """Draw here from now on."""
        if self._handle:
            glfw.make_context_current(self._handle)

    def _open(self, size: tuple[int, int], title: str, visible: bool, share: Any = None) -> Any:
        glfw.default_window_hints()
        for hint, value in (
            (glfw.CONTEXT_VERSION_MAJOR, 3),
            (glfw.CONTEXT_VERSION_MINOR, 3),
            (glfw.DEPTH_BITS, 0),
            (glfw.OPENGL_PROFILE, glfw.OPENGL_CORE_PROFILE),
            (glfw.OPENGL_FORWARD_COMPAT, True),
            (glfw.STENCIL_BITS, 0),
            (glfw.ALPHA_BITS, 0),
            (glfw.AUTO_ICONIFY, False),
            (glfw.VISIBLE, visible),
        ):
            glfw.window_hint(hint, value)
        _errors.clear()
        handle = glfw.create_window(*size, title, None, share)
        if not handle:
            raise Fault(f"no window with OpenGL 3.3: {_reason()}; update the graphics driver, or use --headless")
        return handle

    def poll(self) -> list[ControlEvent]:
        """What was pressed since the last call, oldest first.

        A first press of a key that wants two comes as `app.notice` with a text to show.
        """
        glfw.poll_events()
        if self._changes != _changes:
            self._changes = _changes
            self._look_for_screen()
        if glfw.get_framebuffer_size(self._handle) != self.size:
            self._measure()
        events = self._events
        self._events = []
        return events

    def swap(self) -> None:
        """Show what was drawn; with vsync, wait for the screen (other threads run meanwhile)."""
        glfw.swap_buffers(self._handle)
        if self.minimised:
            time.sleep(1 / 60)  # no screen to wait for: without this the loop would spin

    @property
    def minimised(self) -> bool:
        return bool(glfw.get_window_attrib(self._handle, glfw.ICONIFIED))

    @property
    def fullscreen(self) -> bool:
        return bool(glfw.get_window_monitor(self._handle))

    @property
    def home(self) -> tuple[str, bool]:
        """Name of the monitor that the window belongs on, "" without any, and whether it is to fill it: one that it
        filled though it may be gone just now, else the one that shows most of it."""
        if self._filling:
            return self._screen_name, True
        monitor = self._beneath()
        return (_name(monitor) if monitor else ""), False

    @property
    def refresh_hz(self) -> float:
        """Pictures per second of the monitor the window is on; 60 where it does not say."""
        monitor = self._present_monitor()
        mode = glfw.get_video_mode(monitor) if monitor else None
        return float(mode.refresh_rate or 60) if mode else 60.0

    @property
    def monitor_name(self) -> str:
        """Of the monitor that the window is on; "" where there is none."""
        monitor = self._present_monitor()
        return _name(monitor) if monitor else ""

    def set_fullscreen(self, on: bool) -> None:
        """Fill the chosen monitor, or return to the window's earlier place. The context and its objects stay."""
        monitor = self._present_monitor()
        mode = glfw.get_video_mode(monitor) if monitor else None
        self._filling = on
        if on == self.fullscreen or (on and mode is None):
            return
        if on:
            self._screen_name = _name(monitor)
            self._place = (*glfw.get_window_pos(self._handle), *glfw.get_window_size(self._handle))
            self._fill(monitor)
        else:
            self._release()
            glfw.set_input_mode(self._handle, glfw.CURSOR, glfw.CURSOR_NORMAL)
        self._measure()

    def _fill(self, monitor: Any) -> None:
        mode = glfw.get_video_mode(monitor)
        glfw.set_window_monitor(self._handle, monitor, 0, 0, *mode.size, mode.refresh_rate or glfw.DONT_CARE)
        glfw.set_input_mode(self._handle, glfw.CURSOR, glfw.CURSOR_HIDDEN)

    def _look_for_screen(self) -> None:
        """A monitor came or went: a picture that filled one which is back fills it again, none is left out of sight."""
        named = next((monitor for monitor in glfw.get_monitors() if _name(monitor) == self._screen_name), None)
        if self._monitor is not None and named is not None:
            self._monitor = named
        if self._filling and not self.fullscreen:  # GLFW gives it back as a window, anywhere
            if named is not None:
                self._settle(named)
                self._fill(named)
                self._away = False
                self._events.append(ControlEvent(self._clock(), "app.screen"))
                log.info("screen %s is back", self._screen_name)
                return
            if not self._away:
                self._away = True
                log.warning("screen %s is gone; the output returns to it when it is back", self._screen_name)
        if not self.fullscreen and self._present_monitor() is not None and not self._in_sight():
            self._settle(glfw.get_primary_monitor())

    def _in_sight(self) -> bool:
        """Whether the middle of the window is on a monitor."""
        left, top = glfw.get_window_pos(self._handle)
        middle_x = left + self._place[2] // 2
        middle_y = top + self._place[3] // 2
        for monitor in glfw.get_monitors():
            (x, y), mode = glfw.get_monitor_pos(monitor), glfw.get_video_mode(monitor)
            if x <= middle_x < x + mode.size.width and y <= middle_y < y + mode.size.height:
                return True
        return False

    def _settle(self, monitor: Any) -> None:
        """Put the window in the middle of a monitor."""
        width, height = self._place[2:]
        self._place = (*self._centre((width, height), monitor), width, height)
        self._release()

    def _release(self) -> None:
        """Be a window, at its place."""
        nowhere: Any = None
        glfw.set_window_monitor(self._handle, nowhere, *self._place, glfw.DONT_CARE)

    def toggle_fullscreen(self) -> None:
        self.set_fullscreen(not self.fullscreen)

    def close(self) -> None:
        """Close the window; its context and everything made in it are gone."""
        if self._handle:
            glfw.destroy_window(self._handle)
            self._handle = None

    def _measure(self) -> None:
        width, height = glfw.get_framebuffer_size(self._handle)
        if width < 1 or height < 1:  # minimised: keep drawing at the last size
            return
        self.size = (width, height)
        self.screen.viewport = (0, 0, width, height)
        self.screen._size = self.size  # type: ignore[attr-defined]  # moderngl measures the screen once and offers no way to say it grew

    def _centre(self, size: tuple[int, int], monitor: Any = None) -> tuple[int, int]:
        x, y, width, height = glfw.get_monitor_workarea(monitor or self._monitor or glfw.get_primary_monitor())
        return x + max(0, (width - size[0]) // 2), y + max(0, (height - size[1]) // 2)

    def _present_monitor(self) -> Any:
        """The chosen monitor while it is plugged in, else the one that shows most of the window; None without any."""
        known = glfw.get_monitors()
        if self._monitor is not None and any(_same(self._monitor, other) for other in known):
            return self._monitor
        return self._beneath()

    def _beneath(self) -> Any:
        """The monitor that shows most of the window; None without any."""
        left, top = glfw.get_window_pos(self._handle)
        width, height = glfw.get_window_size(self._handle)

        def overlap(monitor: Any) -> int:
            x, y = glfw.get_monitor_pos(monitor)
            w, h = glfw.get_monitor_workarea(monitor)[2:]
            return max(0, min(left + width, x + w) - max(left, x)) * max(0, min(top + height, y + h) - max(top, y))

        return max(glfw.get_monitors(), key=overlap, default=None)

    def _on_key(self, _window: Any, code: int, _scancode: int, action: int, mods: int) -> None:
        self._fresh = action == glfw.PRESS
        self._press = None
        if not self._fresh or mods & (glfw.MOD_CONTROL | glfw.MOD_ALT | glfw.MOD_SUPER):
            self._fresh = False
            return
        if code in _PLACES:
            self._fire(_PLACES[code])
            self._fresh = False
        elif 32 <= code < 127:
            self._press = BY_KEY.get(chr(code).lower())

    def _on_char(self, _window: Any, codepoint: int) -> None:
        if not self._fresh:
            return
        self._fresh = False
        # A layout without Latin letters types none of ours: then the key's place counts.
        entry = BY_KEY.get(chr(codepoint).lower()) if codepoint < 128 else self._press
        if entry is not None:
            self._fire(entry)

    def _on_close(self, _window: Any) -> None:
        self._events.append(ControlEvent(self._clock(), "app.quit"))

    def _fire(self, entry: Key) -> None:
        now = self._clock()
        if entry.action.twice:
            before = self._last_press.get(entry.name)
            self._last_press[entry.name] = now
            if before is None or now - before > TWICE_WITHIN_S:
                self._events.append(
                    ControlEvent(now, "app.notice", 0.0, f"press {entry.name} again to {entry.action.help}")
                )
                return
        self._events.append(ControlEvent(now, entry.action.address, entry.value))


def monitors() -> list[str]:
    """Names of the monitors, in the order of their indexes. Raises Fault when there is no display."""
    _start()
    return [_name(monitor) for monitor in glfw.get_monitors()]


def _start() -> None:
    glfw.set_error_callback(_on_error)
    _errors.clear()
    if not glfw.init():
        raise Fault(f"no display: {_reason()}; use --headless")
    glfw.set_monitor_callback(_on_monitor)
    if not glfw.get_monitors():
        raise Fault("no display: no monitor is connected; connect one, or use --headless")


def _on_monitor(_monitor: Any, _what: int) -> None:
    global _changes
    _changes += 1


def _on_error(_code: int, text: bytes | str) -> None:
    _errors.append(text.decode(errors="replace") if isinstance(text, bytes) else text)


def _reason() -> str:
    return _errors[-1].rstrip(".").removeprefix("X11: ") if _errors else "the window system gives no reason"


def _name(monitor: Any) -> str:
    name = glfw.get_monitor_name(monitor)
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)


def _same(one: Any, other: Any) -> bool:
    return _address(one) == _address(other)


def _address(monitor: Any) -> int:
    return ctypes.cast(monitor, ctypes.c_void_p).value or 0


def _find(wanted: str | int) -> Any:
    """The monitor of that index, or whose name contains `wanted`. Raises Fault listing the monitors."""
    known = glfw.get_monitors()
    names = [_name(monitor) for monitor in known]
    text = str(wanted).strip()
    number = whole_number(text, len(known) - 1) if known else None
    if number is not None:
        return known[number]
    for exact in (True, False):
        for monitor, name in zip(known, names, strict=True):
            if text and (name.lower() == text.lower() if exact else text.lower() in name.lower()):
                return monitor
    listed = ", ".join(f"{index}: {name}" for index, name in enumerate(names))
    raise Fault(f"no monitor {text!r}; there are {listed}{nearest(text, names)}")
