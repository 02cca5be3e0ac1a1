"""Warnings and errors of the log become notifications for whoever plays."""

from __future__ import annotations

import logging
from collections.abc import Callable

from performer.types.notification import Notifications


class NotificationHandler(logging.Handler):
    """Posts what is logged: on the desk, the panel and the page, and over the picture of a window."""

    def __init__(self, notifications: Notifications, now: Callable[[], float]) -> None:
        super().__init__(logging.INFO)
        self._notifications = notifications
        self._now = now

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "aside", False):
            return
        severity = {logging.ERROR: "error", logging.WARNING: "warning"}.get(record.levelno, "info")
        self._notifications.post(self._now(), record.getMessage(), severity)
