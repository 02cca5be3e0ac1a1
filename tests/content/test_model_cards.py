"""Cards that say absurd things, or what their model does not do: one line, never the end of a show."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from performer.content.library import FACTORY
from performer.content.models.card import LARGEST_CARD, Card, load
from performer.content.models.inputs import offered
from performer.generators.onnx.session import create
from performer.generators.painter import Painter
from performer.generators.tools.probe import known, probe
from performer.rig.loading import load_library
from performer.system.errors import Fault
from performer.types.features import Features, Sound
from performer.types.frame import Frame, Scene, Walk

GOOD = {
    "title": '"x"',
    "kind": '"gan"',
    "latent": "64",
    "size": "[128, 128]",
    "licence": '"CC0-1.0"',
    "layout": '"NCHW"',
    "channels": "3",
    "range": "[0.0, 1.0]",
    "clip": "false",
}
ENTRY = {"name": '"z"', "role": '"latent"', "shape": "[1, 64]", "type": '"float32"'}
ABSURD = {
    "latent": [
        "0",
        "-3",
        "1" + "0" * 30,
        "1" + "0" * 400,
        "1e300",
        "nan",
        "inf",
        '"many"',
        "[64]",
        "{}",
        "1979-05-27",
        "1.5",
    ],
    "size": [
        "[0, 128]",
        "[-128, 128]",
        "[100000, 128]",
        "[128, 1" + "0" * 400 + "]",
        "[1e300, 1e300]",
        "[nan, nan]",
        "[128]",
        "[128, 128, 128]",
        "128",
        '"128x128"',
        "[[128], [128]]",
        "[" * 200 + "]" * 200,
        "[" * 20000 + "]" * 20000,
    ],
    "range": [
        "[0.0, 0.0]",
        "[nan, 1.0]",
        "[0.0, inf]",
        "[-1e300, 1e300]",
        "[0.0]",
        '"0..1"',
        "[0, 1" + "0" * 400 + "]",
    ],
    "channels": ["0", "2", "5", "-1", "1" + "0" * 40, '"rgb"', "nan"],
    "layout": ['"NWHC"', '""', "1", '["N"]'],
    "kind": ['"painter"', "1", "[]"],
    "title": ["1", "[]", "{}", "{a = {b = {c = 1}}}"],
    "licence": ["1", "[]", "nan"],
    "clip": ['"perhaps"', "[]", "2"],
    "order": ['"grb"', "3"],
    "mean": ["[1.0]", "[nan, 0.0, 0.0]", "[1e9, 0.0, 0.0]", '"imagenet"', "0.5"],
    "std": ["[0.0, 1.0, 1.0]", "[inf, 1.0, 1.0]", "[1.0, 1.0]"],
    "output": ["1", "[]"],
    "sha256": ["1", "[]"],
    "inputs": ["1", '"z"', "[1]", "[[]]", "{}"],
}
ABSURD_ENTRIES = {
    "shape": [
        "[]",
        "[0]",
        "[-1, -64]",
        "[1, 1" + "0" * 400 + "]",
        "[99999, 99999]",
        "[" + ", ".join(["1"] * 4000) + "]",
        "[nan]",
        "64",
        '"1x64"',
    ],
    "type": ['"complex64"', '"object"', "1", '"float128"', '"O"'],
    "role": ['"leader"', "1"],
    "name": ["1", "[]"],
    "value": ["nan", "inf", "-1e300", '"one"', "1" + "0" * 400],
    "range": ["[1.0, 1.0]", "[nan, 1.0]"],
    "std": ["[0.0, 0.0, 0.0]"],
    "nonsense": ["1"],
}


def written(folder: Path, facts: dict[str, str], *entries: dict[str, str]) -> Path:
    """A model of ours with a card of those facts; returns the model."""
    model = folder / "odd.onnx"
    if not model.exists():
        shutil.copy(FACTORY / "models" / "molten.onnx", model)
    text = "".join(f"{key} = {value}\n" for key, value in facts.items())
    for entry in entries:
        text += "[[inputs]]\n" + "".join(f"{key} = {value}\n" for key, value in entry.items())
    model.with_suffix(".toml").write_text(text, encoding="utf-8")
    return model


def one_line(model: Path) -> str:
    with pytest.raises(Fault) as caught:
        create(model, "cpu")
    said = str(caught.value)
    assert str(model.with_suffix("")) in said and "\n" not in said and len(said) < 500
    assert offered(model) == {} or "card says" in said
    return said


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in ABSURD.items() for value in values])
def test_an_absurd_fact_is_named(key, value, tmp_path):
    said = one_line(written(tmp_path, GOOD | {key: value}))
    assert key in said or "not valid TOML" in said


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in ABSURD_ENTRIES.items() for value in values])
def test_an_absurd_fact_of_an_input_is_named(key, value, tmp_path):
    said = one_line(written(tmp_path, GOOD, ENTRY | {key: value}))
    assert "inputs" in said


def odd_files(folder: Path) -> dict[str, Path]:
    whole = written(folder, GOOD).with_suffix(".toml").read_bytes()
    found = {}
    for name, content in {
        "nothing": b"",
        "null bytes": b"\0" * 100,
        "latin-1": b'title = "\xe9t\xe9"\n' + whole,
        "surrogate": b'title = "\xed\xa0\x80"\n' + whole,
        "escaped surrogate": b'title = "\\ud800"\n' + whole.split(b"\n", 1)[1],
        "twice": whole + whole,
        "deep": b"data = " + b"{a = " * 5000 + b"1" + b"}" * 5000,
        "long number": whole + b"data = {a = " + b"9" * 5000 + b"}",
        "huge": whole + b"# " + b"x" * LARGEST_CARD,
        "many inputs": whole + b'[[inputs]]\nname = "z"\nrole = "latent"\nshape = [1, 64]\n' * 2000,
        "cut": whole[: len(whole) // 2],
    }.items():
        found[name] = folder / f"{name}.toml"
        found[name].write_bytes(content)
    found["folder"] = folder / "folder.toml"
    found["folder"].mkdir()
    found["device"] = folder / "device.toml"
    found["device"].symlink_to("/dev/zero")
    found["pipe"] = folder / "pipe.toml"
    os.mkfifo(found["pipe"])
    return found


@pytest.mark.skipif(os.name == "nt", reason="pipes and devices")
def test_a_file_that_is_no_card_is_one_line_and_waits_for_nobody(tmp_path):
    for name, path in odd_files(tmp_path).items():
        with pytest.raises(Fault) as caught:
            load(path)
        said = str(caught.value)
        assert str(path) in said and "\n" not in said and len(said) < 500, name


def test_a_card_with_a_byte_order_mark_is_read(tmp_path):
    path = written(tmp_path, GOOD).with_suffix(".toml")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load(path).latent == 64


# -- what the file does not do

OURS = load(FACTORY / "models" / "molten.toml")


def ours(**changes: dict[str, str]) -> list[dict[str, str]]:
    """The inputs of the model as they are, but for the changes of one by name."""
    rows = []
    for entry in OURS.inputs:
        row = {
            "name": f'"{entry.name}"',
            "role": f'"{entry.role}"',
            "shape": str(list(entry.shape)),
            "type": f'"{entry.type}"',
        }
        rows.append(row | changes.get(entry.name, {}))
    return rows


CLAIMS = {
    "size": (GOOD | {"size": "[256, 256]"}, {}, r"made \[1, 3, 128, 128\], but the card says \[1, 3, 256, 256\]"),
    "largest size": (GOOD | {"size": "[8192, 8192]"}, {}, "but the card says"),
    "layout": (GOOD | {"layout": '"NHWC"'}, {}, "but the card says"),
    "channels": (GOOD | {"channels": "4"}, {}, "but the card says"),
    "latent": (GOOD | {"latent": "65"}, {}, "its latent is .*, but the card says latent = 65"),
    "output": (GOOD | {"output": '"nothing"'}, {}, "has no output 'nothing'"),
    "kind": (GOOD | {"kind": '"filter"'}, {}, "a filter needs one with role 'image'"),
    "shape": (
        GOOD | {"latent": "32"},
        {"z": {"shape": "[1, 32]"}},
        r"its input 'z' is .*64\], but the card says \[1, 32\]",
    ),
    "huge shape": (GOOD, {"w": {"shape": "[1, 67000000]"}}, "its input 'w' is|numbers together"),
    "rank": (GOOD, {"z": {"shape": "[64]"}}, "its input 'z' is"),
    "type": (GOOD, {"z": {"type": '"int64"'}}, "its input 'z' is float32, but the card says int64"),
    "name": (GOOD, {"z": {"name": '"zed"'}}, "its inputs are z,"),
    "role": (GOOD, {"z": {"role": '"noise"'}}, "a gan needs one with role 'latent'"),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_that_the_file_does_not_keep_is_named(name, tmp_path):
    facts, changes, reason = CLAIMS[name]
    with pytest.raises(Fault, match=reason):
        create(written(tmp_path, facts, *ours(**changes)), "cpu")


ODD = [0, -1, 2**31, 2**63, 2**64, 10**400, float("nan"), float("inf")]
SINGLE = st.one_of(st.integers(), st.floats(), st.sampled_from(ODD), st.text(max_size=3), st.booleans(), st.none())
ANYTHING = st.recursive(SINGLE, lambda inner: st.lists(inner, max_size=4), max_leaves=6)


@settings(deadline=None, max_examples=100)
@given(st.dictionaries(st.sampled_from([*Card.model_fields]), ANYTHING, max_size=3))
def test_whatever_a_card_says_it_is_sound_or_refused(facts):
    plain = {"title": "x", "kind": "gan", "latent": 64, "size": (128, 128), "licence": "x"}
    try:
        card = Card.model_validate(plain | facts)
    except ValueError:  # pydantic's own is one
        return
    assert 1 <= min(card.size) <= max(card.size) <= 8192 and 1 <= card.latent <= 1 << 18
    assert all(np.isfinite(level).all() for level in (*card.range, *card.levels))


def test_a_show_goes_on_beside_an_absurd_card(tmp_path, caplog):
    library = load_library()
    (tmp_path / "p.toml").write_text("[[layer]]\nmodel = 'molten'\n")
    preset = library.load_preset(tmp_path / "p.toml")
    scene = Scene(1, preset, preset.base, {"main": Walk("tour", 0.3, 1, 1.0)}, 0.0)
    for i, value in enumerate(("[100000000, 100000000]", "[nan, nan]", "[1" + "0" * 400 + ", 1]")):
        model = written(tmp_path, GOOD | {"size": value})
        it = Painter(lambda name, model=model: create(model, "cpu"))
        assert (
            it.paint(Frame(index=i, t=0.0, dt=1 / 60, size=(64, 36), features=Features(), sound=Sound(), scene=scene))
            == {}
        )
    assert len(caplog.records) == 3 and all("size" in record.getMessage() for record in caplog.records)


@pytest.mark.skipif(os.name == "nt", reason="pipes and devices")
def test_a_model_that_is_a_pipe_or_a_device_is_not_waited_for(tmp_path):
    written(tmp_path, GOOD)
    for name, make in (
        ("pipe", os.mkfifo),
        ("folder", os.mkdir),
        ("device", lambda path: path.symlink_to("/dev/zero")),
    ):
        path = tmp_path / f"{name}.onnx"
        make(path)
        shutil.copy(tmp_path / "odd.toml", path.with_suffix(".toml"))
        for read in (probe, known, lambda path: create(path, "cpu")):
            with pytest.raises(Fault, match=r"not a model file|no such model file"):
                read(path)
