"""Presets: what is written is what plays, and every mistake is named with file, key, expectation and nearest match."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts.scenes import AUDIO, SHADERS, TEXT, Spec, make

from performer.content.presets import reader
from performer.system.errors import Fault
from performer.types import preset


def test_a_preset_has_a_value_and_a_param_for_every_address():
    p = make()
    assert [layer.name for layer in p.layers] == ["main", "top"]
    assert p.base["main.echo.zoom"] == 1.02
    assert p.base["main.echo.tint"] == (1.0, 0.5, 0.2, 1.0)
    assert p.base["top.mix.opacity"] == 0.4
    assert p.base["top.source.speed"] == 0.5
    assert p.base["master.bloom.amount"] == 0.5
    assert p.base["transition.shader.softness"] == 0.2
    assert p.base["main.walk.speed"] == 0.5
    assert set(p.base) == set(p.params)
    assert p.layers[0].walk == preset.WalkSpec(
        kind="tour", seed=7, lock="free", knobs=("main.latent.bright", "main.latent.warm")
    )
    assert p.transition == preset.Transition("dissolve", 2.0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("marble", "marbel"), r"presets/first.toml: layer\[0\].model: no model 'marbel'; did you mean 'marble'"),
        (('"tour"', '"tuor"'), r"layer\[0\].walk.kind: expected one of .*; did you mean 'tour'"),
        (('shader = "feedback"', 'shader = "feedbak"'), r"layer\[0\].effect\[0\].shader: .*did you mean 'feedback'"),
        (('shader = "feedback"', 'shader = "tunnel"'), r"expected a filter, but 'tunnel' is a source"),
        (("zoom = 1.02", "zom = 1.02"), r"effect\[0\].inputs.zom: .*did you mean 'zoom'"),
        (("zoom = 1.02", 'zoom = "big"'), r"effect\[0\].inputs.zoom: expected a number, got 'big'"),
        (("speed = 0.5", 'speed = "fast"'), r"layer\[0\].walk.speed: .*valid number.*got 'fast'"),
        (('blend = "screen"', 'blend = "scren"'), r"layer\[1\].blend: expected one of normal, .*got 'scren'.*screen"),
        (("audio.bass", "audio.bas"), r"route\[0\].from: .*did you mean 'audio.bass'"),
        (("main.echo.zoom", "main.echo.zoon"), r"route\[0\].to: no parameter .*did you mean 'main.echo.zoom'"),
        (("release = 0.3", "releese = 0.3"), r"route\[0\].releese: unknown key; did you mean 'release'"),
        (("order = 1", "ordr = 1"), r"ordr: unknown key; did you mean 'order'"),
        (("order = 1", "order = 1.5"), r"order: .*valid integer"),
        (("seconds = 2.0", "seconds = nan"), r"transition.seconds: .*finite"),
        (("range = [1.0, 1.2]", "range = [1.0, inf]"), r"route\[0\].range"),
        (('name = "top"', 'name = "main"'), r"layer\[1\].name: 'main' is taken"),
        (('model = "marble"', ""), r"layer\[0\]: a layer needs one source: model, shader, video"),
        (('title = "First"', 'title = "First'), r"not valid TOML: .*line 2"),
        (("zoom = 1.02", "zoom = 9.5"), r"layer\[0\].effect\[0\].inputs.zoom: expected 0.5 to 2, got 9.5"),
        (("[1.0, 0.5, 0.2]", "[255, 128, 0]"), r"inputs.tint: expected 0 to 1, got \[255, 128, 0\]"),
        (("[1.0, 0.5, 0.2]", "[true, false, true]"), r"inputs.tint: expected a list of 4 numbers, got \[True"),
        (("[1.0, 0.5, 0.2]", "[nan, 0.5, 0.2]"), r"inputs.tint: expected a finite number, got nan"),
        (("zoom = 1.02", f"zoom = 1{'0' * 400}"), r"inputs.zoom: expected a number of less than 300 digits"),
        (("speed = 0.5", "speed = -0.5"), r"layer\[0\].walk.speed: expected 0 to 4, got -0.5"),
        (("speed = 0.5", "truncation = 1.2"), r"layer\[0\].walk.truncation: expected 0 to 1, got 1.2"),
        (("opacity = 0.4", "opacity = 40"), r"layer\[1\].opacity: .*less than or equal to 1, got 40"),
        (("opacity = 0.4", "transform = { scale = 0 }"), r"layer\[1\].transform.scale: expected 0.01 to 8, got 0"),
        (("opacity = 0.4", 'mask = { layer = "main", amount = 2 }'), r"layer\[1\].mask.amount: expected 0 to 1, got 2"),
        (("range = [1.0, 1.2]", "range = [1.0, 12]"), r"route\[0\].range: expected 0.5 to 2, got 12"),
        (("order = 1", 'order = 1\nfollower = { name = "x", wildness = 3 }'), r"wildness: expected 0 to 2, got 3"),
    ],
)
def test_mistakes_are_named(change, says):
    with pytest.raises(Fault, match=says) as caught:
        make(TEXT.replace(*change, 1))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("presets/first.toml: ")


names = st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True).filter(
    lambda n: n not in ("master", "transition", "walk", "source", "mix")
)
plain = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)


@given(
    title=plain,
    mood=plain,
    tags=st.lists(plain, max_size=3),
    layer=names,
    node=names,
    zoom=st.floats(0.5, 2.0),
    speed=st.floats(0, 4),
    seed=st.integers(0, 2**31),
    seconds=st.floats(0, 60),
    attack=st.floats(0, 60),
)
def test_a_preset_written_and_read_again_is_the_same(
    title, mood, tags, layer, node, zoom, speed, seed, seconds, attack
):
    import tomlkit

    table = {
        "title": title,
        "mood": mood,
        "tags": tags,
        "transition": {"shader": "dissolve", "seconds": seconds},
        "layer": [
            {
                "name": layer,
                "model": "nebula",
                "walk": {"kind": "orbit", "speed": speed, "seed": seed},
                "effect": [{"shader": "feedback", "name": node, "inputs": {"zoom": zoom}}],
            }
        ],
        "route": [{"from": "lfo.0.5", "to": f"{layer}.{node}.zoom", "range": [1.0, 1.5], "attack": attack}],
    }
    first = make(tomlkit.dumps(table))
    text = reader.to_toml(first)
    assert make(text) == first
    assert tomllib.loads(text) == table


@given(st.text(max_size=300))
def test_any_text_is_a_preset_or_a_fault(text):
    with pytest.raises(Fault):
        make(text)


def test_the_schema_for_editors_knows_the_keys_as_written():
    assert {"from", "to", "in", "range"} <= set(reader.schema()["$defs"]["RouteTable"]["properties"])


def test_one_transition_for_all_presets():
    loaded = reader.load(
        TEXT + '[[route]]\nfrom = "audio.kick"\nto = "transition.shader.softness"\n',
        "x",
        where="x",
        shaders={**SHADERS, "wipe": Spec("transition", ())},
        models={"marble": ()},
        audio=AUDIO,
        transition="wipe",
    )
    assert loaded.transition.shader == "wipe" and loaded.transition.seconds == 2.0
    assert not any(address.startswith("transition.") for address in loaded.params)
    assert len(loaded.routes) == 4


def test_only_a_controller_picks_up_and_only_a_knob_of_one_number():
    route = TEXT.replace('from = "midi.cc74"', 'takeover = "pickup"\nfrom = "midi.cc74"')
    assert [one.pickup for one in make(route).routes] == [False, False, False, True]
    for text in (
        TEXT.replace('from = "audio.bass"', 'takeover = "pickup"\nfrom = "audio.bass"'),
        route.replace('to = "master.bloom.amount"', 'to = "main.echo.tint"'),
    ):
        with pytest.raises(Fault, match=r"route\[\d\].takeover: a controller"):
            make(text)
    with pytest.raises(Fault, match=r"takeover: .*'jump' or 'pickup'"):
        make(TEXT.replace('from = "midi.cc74"', 'takeover = "catch"\nfrom = "midi.cc74"'))
