"""`performer` as a command: as `python -m performer`, but signals are heard from its first moment on.

It imports next to nothing itself, as what the command line needs takes its time.
"""

from __future__ import annotations

from performer.system import interrupts


def program() -> None:
    """Run the command line and end the process."""
    interrupts.catch()
    import runpy

    runpy.run_module("performer", run_name="__main__", alter_sys=True)
