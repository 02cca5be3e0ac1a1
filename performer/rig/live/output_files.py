"""Whether the files that `performer play` writes can be written, before the show begins."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from performer.io.record import moves
from performer.io.record.movie import check_path
from performer.rig.options import PlayOptions
from performer.system.errors import Fault
from performer.system.paths import writable

log = logging.getLogger(__name__)


def checked(options: PlayOptions) -> PlayOptions:
    """The options; in a gallery without those whose files cannot be written. Raises Fault."""
    for name, check in (("stats", writable), ("record", check_path), ("record_moves", moves.check_path)):
        path = getattr(options, name)
        try:
            if path is not None:
                check(path)
        except Fault as fault:
            if not options.gallery:
                raise
            log.error("%s", fault)
            without: dict[str, Any] = {name: None}
            options = replace(options, **without)
    return options
