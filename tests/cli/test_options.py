"""Options are stated once: the command line is made from the dataclasses that the rig takes."""

from dataclasses import MISSING, fields

import pytest
import typer

from performer.cli.options import takes_options
from performer.rig.options import CalibrateOptions, PlayOptions, Provider, RenderOptions
from performer.system.errors import Fault

PLACED = {RenderOptions: ["demo", "out.mp4"]}


def typed(kind: type, *words: str):
    """What a command gets that takes `kind`."""
    got = []

    def command(options: kind, provider_of_others: Provider = "auto") -> None:
        got.append(options)

    app = typer.Typer()
    app.command()(takes_options(command))
    app([*PLACED.get(kind, []), *words], standalone_mode=False)
    return got[0]


@pytest.mark.parametrize("kind", [PlayOptions, RenderOptions, CalibrateOptions])
def test_what_is_not_typed_is_as_the_declaration_says(kind):
    made, required = typed(kind), [field.name for field in fields(kind) if field.default is MISSING]
    assert [getattr(made, name) for name in required] == PLACED.get(kind, [])
    assert made == kind(**dict(zip(required, PLACED.get(kind, []), strict=True)))


def test_what_is_typed_is_read():
    words = "tidal --size 320x180 --fps 60000/1001 --program-channel off --crossfader 8 --pads 36 --hud --page 0"
    made = typed(PlayOptions, *words.split(), "--quantise", "bar", "--output-delay-ms", "-12.5")
    assert made == PlayOptions(
        preset="tidal",
        size=(320, 180),
        fps=60000 / 1001,
        program_channel=None,
        crossfader="midi.cc8",
        pads=36,
        hud=True,
        page=0,
        quantise="bar",
        output_delay_ms=-12.5,
    )
    assert typed(RenderOptions, "--program-channel", "all", "--force") == RenderOptions(
        song="demo", out="out.mp4", program_channel=0, force=True
    )


@pytest.mark.parametrize("words", [["--size", "12by9"], ["--fps", "501"], ["--quantise", "bra"], ["--crossfader", "x"]])
def test_what_cannot_be_read_is_a_fault(words):
    with pytest.raises(Fault, match=words[0]):
        typed(PlayOptions, *words)


@pytest.mark.parametrize("words", [["--pads", "128"], ["--seconds", "-1"], ["--no-hud"], ["--autopilot", "-1"]])
def test_a_range_holds_and_a_flag_has_no_opposite(words, capsys):
    app = typer.Typer(rich_markup_mode=None)

    def command(options: PlayOptions) -> None:
        raise AssertionError(options)

    app.command()(takes_options(command))
    with pytest.raises(SystemExit) as stop:
        app(words)
    assert stop.value.code == 2 and words[0] in capsys.readouterr().err
