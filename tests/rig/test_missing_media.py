"""Media that are missing or cannot be read: `check` fails the preset, `render` says so before it writes."""

import pytest
from PIL import Image

from performer.cli.main import main
from performer.rig.offline import render
from performer.rig.options import RenderOptions
from performer.system.errors import Fault

LONG = "n" * 300
#: Layer -> what is said of it.
MISSING = {
    'video = "gone.mp4"': "gone.mp4: no such video",
    f'video = "{LONG}.mp4"': f"{LONG}.mp4: no such video",
    'video = "words.mp4"': "words.mp4: cannot be opened as a video",
    'video = "sound.wav"': "sound.wav: it contains no video",
    'pictures = "gone"': "gone: no images there",
    f'pictures = "{LONG}"': f"{LONG}: cannot be read as an image folder",
    f'pictures = "{LONG}.png"': f"{LONG}.png: cannot be read as an image folder",
    'pictures = "empty"': "empty: no images there",
    'pictures = "broken"': "broken: none of its images can be read",
    'pictures = "words.mp4"': "words.mp4: none of its images can be read",
    'text = "a"\nplay = { font = "gone.ttf" }': "gone.ttf: not a font file",
    'text = "a"\nplay = { font = "words.mp4" }': "words.mp4: not a font file",
    f'text = "a"\nplay = {{ font = "{LONG}.otf" }}': f"{LONG}.otf: not a font file",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.mp4").write_text("not a film\n" * 50)
    (tmp_path / "sound.wav").write_bytes(
        b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\x08\0\0\0" + bytes(8)
    )
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.avif").write_bytes(b"\0\0\0\x1cftypavif" + bytes(40))
    (tmp_path / "broken" / "b.dds").write_bytes(b"DDS |" + b"\xff" * 130)
    return tmp_path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    return stop.value.code


def test_check_fails_presets_whose_media_are_missing(folder, capsys):
    for i, layer in enumerate(MISSING):
        (folder / f"{i:02}.toml").write_text(f"[[layer]]\n{layer}\n")
    assert run("check", ".") == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if ".toml" in line]
    assert len(lines) == len(MISSING)
    for line, said in zip(sorted(lines), MISSING.values(), strict=True):
        assert line.startswith("FAIL preset") and said in line


def test_check_passes_those_that_are_there_and_asks_for_no_camera(folder, capsys):
    Image.new("RGB", (16, 16), (250, 0, 0)).save(folder / "broken" / "c.png")
    text = '[[layer]]\npictures = "broken"\n[[layer]]\nname = "cam"\ncamera = "/dev/video97"\n'
    (folder / "a.toml").write_text(text + '[[layer]]\nname = "words"\ntext = "a"\n')
    assert run("check", "a.toml") == 0
    assert capsys.readouterr().out.startswith("ok   preset")


@pytest.mark.parametrize("layer", [layer for layer in MISSING if "gone" in layer or "broken" in layer])
def test_render_says_what_is_missing_before_it_writes(layer, folder):
    (folder / "a.toml").write_text(f'[[layer]]\nname = "under"\nshader = "tunnel"\n[[layer]]\n{layer}\n')
    (folder / "out.mp4").write_bytes(b"the film of yesterday")
    with pytest.raises(Fault) as caught:
        render(
            RenderOptions(song="demo", out="out.mp4", preset="a.toml", size=(64, 36), fps=10.0, seconds=0.2, force=True)
        )
    assert MISSING[layer] in str(caught.value) and "\n" not in str(caught.value)
    assert (folder / "out.mp4").read_bytes() == b"the film of yesterday"


def test_render_refuses_a_camera(folder):
    from performer.rig.offline import render
    from performer.rig.options import RenderOptions

    (folder / "a.toml").write_text('[[layer]]\ncamera = "0"\n')
    with pytest.raises(Fault, match="a camera cannot be rendered offline; record it"):
        render(RenderOptions(song="demo", out="out.mp4", preset="a.toml", size=(64, 36), fps=10.0, seconds=0.2))
    assert not (folder / "out.mp4").exists()
