"""Parts of a show that may fail without ending it."""

from __future__ import annotations

import logging
from types import TracebackType

from performer.system.errors import Fault

log = logging.getLogger(__name__)

#: What failed, by which error, and where.
Cause = tuple[str, str, str, int]


class Tolerant:
    """A context manager that keeps an error from going further, and says it once for each cause.

    `failed` is whether one was caught.

    Parameters
    ----------
    what : str
        Names the part in the log line.
    told : set[Cause]
        Causes that were said; the same set for all parts.
    """

    __slots__ = ("_told", "_what", "failed")

    def __init__(self, what: str, told: set[Cause]) -> None:
        self._what = what
        self._told = told
        self.failed = False

    def __enter__(self) -> Tolerant:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):  # an interrupt, say
            return False
        self.failed = True
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = (trace.tb_frame.f_code.co_filename, trace.tb_lineno) if trace is not None else ("", 0)
        cause = (self._what, type(error).__name__, *place)
        if cause not in self._told:
            self._told.add(cause)
            why = str(error).strip() or type(error).__name__
            trail = None if isinstance(error, Fault) else error
            log.error("%s failed (%s); the show continues", self._what, why, exc_info=trail)
        return True
