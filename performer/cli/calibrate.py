"""`performer calibrate`: how late the screen and the sound of a venue are."""

from __future__ import annotations

from performer.cli.options import Debug, takes_options
from performer.rig.options import CalibrateOptions


@takes_options
def calibrate(options: CalibrateOptions, debug: Debug = False) -> None:
    """Measure how late screen and sound are outside the program, by your taps or a microphone; play uses it."""
    from performer.rig.calibration import session

    session.calibrate(options, print)
