"""Every adapter has what its users call: the template's members, with parameters that fit."""

import inspect
from threading import Event, Thread

import numpy as np
import pytest

from performer.generators.media.camera import Camera
from performer.generators.media.image_folder import Album
from performer.generators.media.open import Medium
from performer.generators.media.text import Words
from performer.generators.media.video import Inline, Projector
from performer.gl.window.offscreen import Offscreen
from performer.gl.window.window import Window
from performer.io.record.output import FrameCounter, FrameOutput
from performer.io.record.recorder import Recorder
from performer.io.record.stills import Stills
from performer.io.sound import source
from performer.io.sound.player import Player
from performer.io.sound.silence import Silence
from performer.io.sound.soundcard import SoundCard
from performer.rig.live.wiring import Surface

#: Protocol -> all adapters of that kind. A new one is named here.
ADAPTERS = {
    source.SoundSource: (Silence, Player, SoundCard),
    Medium: (Camera, Album, Words, Projector, Inline),
    Surface: (Window, Offscreen),
    FrameOutput: (FrameCounter, Stills, Recorder),
}
PAIRS = [(protocol, adapter) for protocol, adapters in ADAPTERS.items() for adapter in adapters]


def methods(protocol: type) -> dict[str, inspect.Signature]:
    return {
        name: inspect.signature(member)
        for name, member in vars(protocol).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }


def attributes(protocol: type) -> set[str]:
    named = {name for name in vars(protocol).get("__annotations__", {}) if not name.startswith("_")}
    return named | {name for name, member in vars(protocol).items() if isinstance(member, property)}


def assigned(adapter: type) -> set[str]:
    """Names that the class or its constructor gives its instances."""
    import ast
    import textwrap

    tree = ast.parse(textwrap.dedent(inspect.getsource(adapter)))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)
    } | set(dir(adapter))


@pytest.mark.parametrize(("protocol", "adapter"), PAIRS, ids=[f"{a.__name__}-{p.__name__}" for p, a in PAIRS])
def test_an_adapter_has_what_its_users_call(protocol: type, adapter: type):
    for name, wanted in methods(protocol).items():
        assert callable(getattr(adapter, name, None)), f"{adapter.__name__} lacks {name}()"
        given = list(inspect.signature(getattr(adapter, name)).parameters.values())
        needed = [one for one in given if one.default is one.empty and one.kind is not one.VAR_POSITIONAL]
        extra = 1 if adapter is Recorder and name == "offer" else 0  # it is also told when the frame was
        assert len(needed) <= len(wanted.parameters) + extra <= len(given) + extra, f"{adapter.__name__}.{name}"
    missing = attributes(protocol) - assigned(adapter)
    assert not missing, f"{adapter.__name__} lacks {missing}"


def test_silence_is_in_time():
    now = [10.0]
    it = source.create("silence", lambda: now[0])
    it.open()
    now[0] = 10.5
    it.pump()
    it.pump()
    assert it.ring.written == it.rate // 2 and not it.ring.latest(100).any() and it.ring.stamp == 10.5
    it.poll(now[0])
    it.prepare()
    it.close()


def test_an_output_sees_the_newest_frame_and_what_is_left_at_the_end():
    it, stop = FrameCounter(), Event()
    it.offer(np.zeros((2, 2, 3), np.uint8))
    stop.set()
    thread = Thread(target=it.run, args=(stop,))
    thread.start()
    thread.join()
    assert it.seen == 1
