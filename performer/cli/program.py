"""`performer` as a process: signals are heard from its first moment on.

It imports next to nothing itself, as what the command line needs takes its time.
"""

from __future__ import annotations

from performer.system import interrupts


def program() -> None:
    """Run the command line and end the process."""
    interrupts.catch()
    from performer.cli.main import main
    from performer.system.native_noise import keep_stderr
    from performer.system.supervisor import run_to_exit

    keep_stderr()
    run_to_exit(main)
