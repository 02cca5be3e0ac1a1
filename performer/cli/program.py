"""The program as a process of its own. Imports little, so that signals are heard from its first moment on."""

from __future__ import annotations

from performer.system import interrupts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def program(main: Callable[[], None] | None = None) -> None:
    """Run the command line and end the process; `main` where it is there already."""
    interrupts.catch()
    if main is None:
        from performer.__main__ import main
    from performer.system.supervisor import whole

    assert main is not None
    whole(main)
