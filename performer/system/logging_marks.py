"""Marks that log lines carry in `extra`."""

from __future__ import annotations

#: `extra` of a log line that is no notice
ASIDE = {"aside": True}
