"""The desk: a second window for whoever plays, with panel, live picture and other deck; the audience's stays clean."""

from __future__ import annotations

import moderngl

from performer.gl.hud.hud import Hud, HudState
from performer.gl.render.compose import Compose
from performer.gl.render.target_pool import Target
from performer.gl.window.window import Window
from performer.system.interrupts import Withheld

with Withheld():  # it asks libraries for their versions in processes of their own
    import glfw

SIZE = (1120, 630)
COLUMN = 0.46  # of the desk's width, for pictures; the panel has the rest
GAP = 0.02  # of its height


class OperatorWindow:
    """A window that shares its textures with the main one; main thread only, like that.

    Keys typed here do what they do there. Closing it leaves the show as it is.
    """

    def __init__(self, main: Window, size: tuple[int, int] = SIZE) -> None:
        self._main = main
        self._handle = main.second(size, "performer: operator")
        self.closed = False
        glfw.set_window_close_callback(self._handle, self._on_close)
        glfw.make_context_current(self._handle)
        glfw.swap_interval(0)  # the audience's window sets the pace
        self.ctx = moderngl.create_context(require=330)
        self._compose = Compose(self.ctx)
        self._hud = Hud(self.ctx)
        self._shared: dict[int, moderngl.Texture] = {}
        main.make_current()

    @property
    def size(self) -> tuple[int, int]:
        """In pixels."""
        width, height = glfw.get_framebuffer_size(self._handle)
        return max(1, width), max(1, height)

    def draw(self, live: Target | None, other: Target | None, state: HudState) -> None:
        """Draw the panel, and the pictures in the right column, live on top; then the main window is current again."""
        if self.closed:
            return
        glfw.make_context_current(self._handle)
        try:
            size = self.size
            screen = self.ctx.screen
            screen.viewport = (0, 0, *size)
            screen.use()
            self.ctx.clear(0.03, 0.033, 0.04)
            width = round(size[0] * COLUMN)
            gap = round(size[1] * GAP)
            top = size[1] - gap
            for target in (live, other):
                if target is None:
                    continue
                height = round(width * target.size[1] / target.size[0])
                fit = min(1.0, (size[1] / 2 - 1.5 * gap) / height)
                wide = round(width * fit)
                high = round(height * fit)
                screen.viewport = (size[0] - gap - wide, top - high, wide, high)
                self._compose.copy(self._texture(target), screen)
                top -= high + gap
            screen.viewport = (0, 0, *size)
            self._hud.draw(state, screen, size)
            glfw.swap_buffers(self._handle)
        finally:
            self._main.make_current()

    def _texture(self, target: Target) -> moderngl.Texture:
        """The main context's texture as this one sees it."""
        glo = target.texture.glo
        shared = self._shared.get(glo)
        if shared is None or shared.size != target.size:
            shared = self._shared[glo] = self.ctx.external_texture(glo, target.size, 4, 0, "f1")
        return shared

    def _on_close(self, _window: object) -> None:
        """Only the desk goes: nobody in the hall notices."""
        self.closed = True
        glfw.hide_window(self._handle)

    def close(self) -> None:
        glfw.destroy_window(self._handle)
        self._main.make_current()
