"""The table of actions: every row can be done, and every way to ask for it leads somewhere."""

from pathlib import Path

import pytest
from parts.shows import run, show

from performer.io.page import protocol
from performer.rig.live.controls import Controls
from performer.show.clock import ShowClock
from performer.show.midi_learn import MidiLearn
from performer.show.show import Show
from performer.types.actions import ACTIONS, BY_ADDRESS, BY_KEY, LEARNABLE, complaint, handlers
from performer.types.frame import ControlEvent

OWNERS = {"show": Show, "clock": ShowClock, "live": Controls, "learn": MidiLearn}
ROOT = Path(__file__).resolve().parents[2]


def test_every_action_has_a_method_that_does_it():
    for action in ACTIONS:
        owner, _, method = action.handler.partition(".")
        assert callable(getattr(OWNERS[owner], method)), action.address
    found = [address for owner, kind in OWNERS.items() for address in handlers(owner, kind)]
    assert sorted(found) == sorted(BY_ADDRESS) and len(BY_ADDRESS) == len(ACTIONS)


def test_keys_and_page_words_mean_one_thing_and_the_help_names_every_key():
    assert len(BY_KEY) == sum(len(action.keys) for action in ACTIONS)
    words = [action.page for action in ACTIONS if action.page]
    assert len(words) == len(set(words))
    assert all(action.help for action in ACTIONS)
    assert all(bool(action.keys) == bool(action.label) for action in ACTIONS)
    assert all(button["do"] in protocol.PLAIN for button in protocol.BUTTONS)


def test_what_ends_the_show_or_teaches_is_not_learned():
    assert "app.quit" not in LEARNABLE and "app.learn" not in LEARNABLE
    assert {"show.blackout", "app.record", "bank.breed"} <= LEARNABLE


def test_readme_tells_of_every_key():
    keys = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Keys")[2].partition("\n## ")[0]
    for key in BY_KEY:
        shown = {"right": "→", "left": "←", "0": "0", "f1": "?"}.get(key, key)
        assert f"`{shown}`" in keys or key in "2345678", key


@pytest.mark.parametrize(
    ("address", "wanted"),
    [("show.blakout", "show.blackout"), ("show.", None), ("app.quitt", "app.quit"), ("nonsense", None)],
)
def test_an_unknown_address_is_an_error_with_the_nearest_that_is(address: str, wanted: str | None):
    said = complaint(address)
    assert said is not None and address in said and (wanted is None or repr(wanted) in said)


@pytest.mark.parametrize("address", ["show.tap", "midi.cc7", "link.beat", "knob.main.walk.speed", "button.lost"])
def test_what_inputs_and_hands_say_is_no_error(address: str):
    assert complaint(address) is None


def test_every_action_of_the_show_may_come_at_any_moment():
    it = show()
    asked = [action.address for action in ACTIONS if action.handler.startswith(("show.", "clock."))]
    events = [ControlEvent(0.1 * (i + 1), address) for i, address in enumerate(asked)]
    frames = run(it, 0.1 * len(asked) + 1.0, events=events)
    assert len(frames) == round((0.1 * len(asked) + 1.0) * 60)
