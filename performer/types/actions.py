"""The one table of actions: all that a performer can ask for, and every way to ask.

Keys, learned MIDI buttons, the control page, the help picture and the check of addresses read it. A new action is one
row here and one method of the object that does it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from performer.system.errors import nearest
from performer.types.frame import ControlEvent

Handler = Callable[[ControlEvent, float], None]

TWICE_WITHIN_S = 1.0  # within which the second press of a key must follow, where it takes two
PRESSED = 0.5  # a controller's value from which on its button is down; any velocity will do for a note
LOST = "button.lost"  # the cable of a controller came out while its button was down: text says which, "cc20 ch1"

#: Rooms of addresses that are no actions: what inputs say, and parameters set by hand.
INPUTS = ("midi.", "link.", "button.", "knob.")


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be asked for.

    Attributes
    ----------
    address : str
        Address of the ControlEvent that asks.
    handler : str
        "owner.method": `show` is the Show, `clock` its ShowClock, `live` the live loop, `learn` MIDI learn. Called with
        the event and the time of the frame, in seconds.
    help : str
        What it does, in a few words.
    keys : tuple[str | tuple[str, float], ...]
        Names of the keys that ask for it, each a character as typed ("b", "?") or the name of a key that types none
        ("left", "esc", "f1"); or (name, value of the event).
    label : str
        How the help picture names the keys; without one it is not listed there.
    page : str
        Word by which the control page asks for it; "" where it does not.
    button : str
        What is on the page's button; "" where the page has an own place for it, or none.
    learnable : bool
        Whether a MIDI button may be taught it.
    twice : bool
        The key must be pressed twice within TWICE_WITHIN_S, so that no set ends by accident.
    """

    address: str
    handler: str
    help: str = ""
    keys: tuple[str | tuple[str, float], ...] = ()
    label: str = ""
    page: str = ""
    button: str = ""
    learnable: bool = True
    twice: bool = False


DIGITS = tuple((str((place + 1) % 10), float(place)) for place in range(10))

ACTIONS = (
    Action("show.preset", "show.choose_preset", "presets 1 to 10", DIGITS, "1 .. 9, 0", page="preset"),
    Action("show.next", "show.next_preset", "next preset", ("right",), "right", page="next"),
    Action("show.previous", "show.previous_preset", "previous preset", ("left",), "left", page="previous"),
    Action("show.tap", "clock.tap", "tap the tempo", ("space",), "space", page="tap"),
    Action("show.double", "clock.double", "double the tempo", ("x",), "x"),
    Action("show.half", "clock.halve", "halve the tempo", ("v",), "v"),
    Action("show.resync", "clock.resync", "the downbeat is now", ("d",), "d", page="downbeat"),
    Action("show.nudge", "clock.nudge", "nudge the beat by 10 ms", ((",", -0.01), (".", 0.01)), ",  ."),
    Action("show.quantise", "show.change_quantise", "quantise: now, beat, bar, phrase", ("q",), "q", "quantise"),
    Action("show.jump", "show.jump", "jump to the next keyframe", ("j",), "j", "jump", "Jump"),
    Action("show.autopilot", "show.toggle_autopilot", "autopilot on, off", ("a",), "a"),
    Action("show.decks", "show.toggle_decks", "two decks, or one", ("c",), "c"),
    Action("show.take", "show.take", "take: bring in the other deck", ("enter",), "enter", "take", "Take"),
    Action("show.crossfader", "show.move_crossfader", "move the crossfader", learnable=False),
    Action("app.keep", "live.keep_place", "save a snapshot in the bank", ("k",), "k", page="keep"),
    Action("bank.next", "show.recall", "next snapshot", ("l",), "l"),
    Action("bank.previous", "show.recall", "previous snapshot"),
    Action("bank.recall", "show.recall", "a snapshot by its number", page="recall"),
    Action("bank.breed", "show.recall", "breed an offspring of the snapshots", ("o",), "o"),
    Action("bank.glide", "show.recall", "glide to the latent that comes with it", learnable=False),
    Action("bank.let_go", "show.recall", "back to the walk", ("w",), "w", page="let_go"),
    Action("bank.keep", "live.edit_bank", "save the latent that comes with it", learnable=False),
    Action("bank.rename", "live.edit_bank", "rename a snapshot", page="rename", learnable=False),
    Action("bank.drop", "live.edit_bank", "delete a snapshot from its bank", page="drop", learnable=False),
    Action("show.blackout", "show.toggle_blackout", "blackout, and back", ("b",), "b", "blackout", "Blackout"),
    Action("show.freeze", "show.toggle_freeze", "freeze, and resume", ("z",), "z", "freeze", "Freeze"),
    Action("show.panic", "show.panic", "panic: lights on, everything reset", ("p",), "p"),
    Action("app.learn", "learn.ask", "MIDI learn: bind a button to a key", ("m",), "m", learnable=False),
    Action("app.fullscreen", "live.toggle_fullscreen", "full screen, and back", ("f",), "f"),
    Action("app.hud", "live.next_hud_page", "HUD: performance page, statistics, off", ("h",), "h"),
    Action("app.snapshot", "live.take_snapshot", "save a screenshot", ("s",), "s"),
    Action("app.record", "live.toggle_recording", "start or stop recording", ("r",), "r"),
    Action("app.help", "live.toggle_help", "this help", ("?", "f1"), "?  F1"),
    Action("app.quit", "live.quit", "quit", ("esc",), "esc esc", learnable=False, twice=True),
    Action("app.notice", "live.notify", "show a notification", learnable=False),
    Action("app.screen", "live.meet_screen", "the window is on another screen, or its own is back", learnable=False),
)

#: Address -> Action
BY_ADDRESS = {action.address: action for action in ACTIONS}

#: Addresses that a MIDI button may be taught.
LEARNABLE = frozenset(action.address for action in ACTIONS if action.learnable)


@dataclass(frozen=True, slots=True)
class Key:
    """A key, and the event that it makes."""

    name: str
    action: Action
    value: float = 1.0


#: Name of a key -> Key
BY_KEY = {
    key.name: key
    for action in ACTIONS
    for key in (Key(one, action) if isinstance(one, str) else Key(one[0], action, one[1]) for one in action.keys)
}


@dataclass(frozen=True, slots=True)
class Act:
    """What a learned button does: the address of its event, and the value."""

    address: str
    value: float = 1.0


def handlers(owner: str, target: object) -> dict[str, Handler]:
    """Address -> the method of `target` that does it, for all actions of an owner."""
    return {
        action.address: getattr(target, action.handler.removeprefix(f"{owner}."))
        for action in ACTIONS
        if action.handler.startswith(f"{owner}.")
    }


def complaint(address: str) -> str | None:
    """Why an event of this address asks for nothing, with the nearest action; None when all is well."""
    if address in BY_ADDRESS or address.startswith(INPUTS):
        return None
    return f"no action {address!r}{nearest(address, BY_ADDRESS)}"
