"""Presets with values and keys that nobody means, in folders with more in them than files: one line each."""

import copy
import datetime
import os

import pytest

from performer.audio.features import FEATURES
from performer.content import banks
from performer.content.library import FACTORY, Library
from performer.content.presets import reader
from performer.system import toml_file
from performer.system.errors import Fault


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(audio=tuple(FEATURES)).load((FACTORY,))


WHOLE = """
title = "a"
author = "b"
mood = "c"
tags = ["x"]
order = 1
follower = {name = "puppeteer", amount = 1.0, wildness = 1.0, seed = 1, hold = 2.0}
[transition]
shader = "dissolve"
seconds = 1.0
[[layer]]
name = "main"
model = "molten"
truncation = 0.5
noise = {amount = 0.5, seed = 3}
transform = {x = 0.0, scale = 1.0}
walk = {kind = "drift", speed = 0.1, seed = 1, lock = "free", middle = {kind = "drift", seed = 2}}
[[layer.effect]]
shader = "bloom"
inputs = {amount = 0.1}
[[layer]]
name = "two"
video = "a.mp4"
mask = {layer = "main", amount = 1.0, invert = false}
play = {speed = 1.0, position = 0.1, beats = 2.0, loop = "loop"}
[[layer]]
name = "three"
text = ["a", "b"]
play = {size = 0.5, color = [1, 1, 1], lock = "beat", font = "a.ttf"}
[[layer]]
name = "four"
pictures = "p"
play = {fade = 0.5, shuffle = true, seed = 4}
[[layer]]
name = "five"
camera = "0"
play = {mirror = true}
[[route]]
from = "midi.cc1"
to = "main.mix.opacity"
curve = "linear"
in = [0.0, 1.0]
range = [0.0, 1.0]
attack = 0.1
quantise = "now"
takeover = "jump"
"""
HOSTILE = [10**400, -(10**400), 2**63, -(2**63) - 1, float("nan"), float("inf"), "", "a\0b", "a" * 300, "~nobody/x"]
HOSTILE += ["٣", "²", "\t", "C:\temp", "x/" + "y" * 5000, "../" * 50, "\n", "midi.cc²", "lfo." + "9" * 400, "lfo.nan"]
HOSTILE += [[], [[]], {}, [1] * 5, datetime.date(2020, 1, 1), True]
KEYS = ["a\nb", "x" * 100_000, "\0", "", "é", "a.b", "²"]


def _places(table, place=()):
    if place:
        yield place
    if isinstance(table, (dict, list)):
        for key in table if isinstance(table, dict) else range(len(table)):
            yield from _places(table[key], (*place, key))


def _refused_or_read(library, table, monkeypatch) -> None:
    monkeypatch.setattr(toml_file, "loads", lambda text: table)
    try:
        reader.load(
            "",
            "case",
            where="case.toml",
            shaders=library.shaders,
            models=library.knobs(),
            audio=library.audio,
            inlets=library.inlets(),
        )
    except Fault as fault:
        assert "\n" not in str(fault) and len(str(fault)) < 400, str(fault)[:1000]


@pytest.mark.parametrize("part", range(6))
def test_hostile_values_anywhere_are_one_short_line(library, part, monkeypatch):
    whole = toml_file.loads(WHOLE)
    for number, place in enumerate(_places(whole)):
        if number % 6 == part:
            for value in HOSTILE:
                table = inside = copy.deepcopy(whole)
                for key in place[:-1]:
                    inside = inside[key]
                inside[place[-1]] = value
                _refused_or_read(library, table, monkeypatch)


def test_hostile_keys_anywhere_are_one_short_line(library, monkeypatch):
    whole = toml_file.loads(WHOLE)
    for place in [(), *_places(whole)]:
        for key in KEYS:
            table = inside = copy.deepcopy(whole)
            for step in place:
                inside = inside[step]
            if isinstance(inside, dict):
                inside[key] = 1.0
                _refused_or_read(library, table, monkeypatch)


def said_of(library, text) -> str:
    with pytest.raises(Fault) as caught:
        reader.load(
            text,
            "case",
            where="/here/case.toml",
            shaders=library.shaders,
            models=library.knobs(),
            audio=library.audio,
            inlets=library.inlets(),
        )
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[layer]]\nvideo = "C:\\temp\\next.mp4"', "layer[0].video: no file's name is 'C:\\temp\\next.mp4'"),
        ('[[layer]]\npictures = "a\\u0000b"', "layer[0].pictures: no file's name"),
        ('[[layer]]\nvideo = "~nobody-here/a.mp4"', "layer[0].video: '~nobody-here/a.mp4': no user of that name"),
        ('[[layer]]\ntext = "a"\nplay = {font = "~nobody-here/a.ttf"}', "layer[0].play.font: "),
        ('[layer]\nshader = "aurora"', "layer: expected several, each under [[layer]] with two brackets"),
        ('[[layer]]\nmodel = "molten"\nwalk = {seed = 9223372036854775808}', "layer[0].walk.seed: should be less than"),
        ('[[layer]]\nshader="aurora"\n[[route]]\nfrom="midi.cc²"\nto="main.mix.opacity"', "route[0].from: 'midi.cc²'"),
    ],
)
def test_values_that_cannot_be_are_named_with_what_to_write(library, text, said):
    assert said in said_of(library, text)


def test_a_folder_with_pipes_and_devices_in_it_costs_only_those(tmp_path):
    presets = tmp_path / "presets"
    presets.mkdir()
    os.mkfifo(presets / "pipe.toml")
    (presets / "folder.toml").mkdir()
    (presets / "zero.toml").symlink_to("/dev/zero")
    (presets / "loop.toml").symlink_to("loop.toml")
    (presets / "gone.toml").symlink_to("nowhere")
    (presets / os.fsdecode(b"\xff.toml")).write_bytes('\ufeff[[layer]]\r\nshader = "aurora"\r\n'.encode("utf-16-le"))
    library = Library(audio=tuple(FEATURES)).load((FACTORY, tmp_path))
    assert {"\udcff", "tidal"} <= set(library.presets)
    said = {path.name: str(fault) for path, fault in library.faults.items()}
    assert set(said) == {"pipe.toml", "folder.toml", "zero.toml", "loop.toml", "gone.toml"}
    assert "a pipe or a device" in said["pipe.toml"] and "a folder" in said["folder.toml"]
    for name in ("presets/pipe.toml", "presets/none.toml", "n" * 300 + ".toml", "~nobody-here/a.toml"):
        with pytest.raises(Fault):
            library.find(str(tmp_path / name))


@pytest.mark.parametrize("latent", ["9" * 400, f"[{'9' * 400}, 1.0]", "[1e300, 1.0]", "[nan, 1.0]", '["²", 1.0]'])
def test_a_bank_with_numbers_that_are_too_large_is_one_line(tmp_path, latent):
    (tmp_path / "a.toml").write_text(f'[[place]]\nname = "a"\nlatent = {latent}\n', encoding="utf-8")
    with pytest.raises(Fault, match=r"a\.toml: place\[0\]"):
        banks.read("a", 2, tmp_path)


def test_a_bank_that_is_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.toml")
    with pytest.raises(Fault, match="a pipe"):
        banks.read("a", 2, tmp_path)
    assert banks.read("b", 2, tmp_path).places == []
