"""Warnings and errors as notices for whoever plays."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from performer.gl.hud.hud import Message


class Toasts(logging.Handler):
    """Warnings and errors become notices: on the desk, the panel and the page, and over the picture of a window."""

    def __init__(self, notices: deque[Message], now: Callable[[], float]) -> None:
        super().__init__(logging.INFO)
        self._notices, self._now = notices, now

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "aside", False):
            return
        level = {logging.ERROR: "error", logging.WARNING: "warning"}.get(record.levelno, "info")
        self._notices.append(Message(self._now(), record.getMessage(), level))
