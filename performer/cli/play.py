"""`performer play`: the show, live."""

from __future__ import annotations

from typing import Annotated

import typer

from performer.cli.options import Debug, takes_options
from performer.rig.options import PlayOptions

PAGE_PORT = "8765"  # of --page, when none is given


@takes_options
def play(
    options: PlayOptions,
    test_card: Annotated[
        bool, typer.Option("--test-card", help="Show a test card instead of the show, to set up a projector.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Play live: listen, draw, follow the music. Press ? for the keys."""
    from performer.rig.live import rig

    somebody_watches = options.fullscreen or options.desk or options.gallery or options.monitor is not None
    if test_card:
        from performer.rig import test_card as testcard

        testcard.show(options)
    elif options.headless or somebody_watches or rig.has_display():
        rig.play(options)
    else:
        from performer.rig import offline
        from performer.rig.options import RenderOptions

        offline.show_reel(
            RenderOptions(
                song="demo",
                out="",
                preset=options.preset,
                size=options.size,
                seed=options.seed,
                provider=options.provider,
            )
        )


def with_port(arguments: list[str]) -> list[str]:
    """Arguments in which --page without a number has its usual port."""
    at = arguments.index("--page") + 1 if "--page" in arguments else 0
    bare = at and not (at < len(arguments) and arguments[at].isdigit())
    return [*arguments[:at], PAGE_PORT, *arguments[at:]] if bare else arguments
