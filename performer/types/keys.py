"""The one table of keys: what each does, and the words for it in the help."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the show.

    key      a character as typed ("b", "?"), or the name of a key that types none ("left", "esc", "f1")
    address  of the ControlEvent it makes
    value    of that event
    label    how the help names the key; keys without a label are not listed
    help     what it does, in a few words
    twice    must be pressed twice within TWICE_WITHIN_S, so that no set ends by accident
    """

    key: str
    address: str
    value: float = 1.0
    label: str = ""
    help: str = ""
    twice: bool = False


KEYS = (
    *(
        Key(
            str((place + 1) % 10),
            "show.preset",
            place,
            "" if place else "1 .. 9, 0",
            "" if place else "presets 1 to 10",
        )
        for place in range(10)
    ),
    Key("right", "show.next", 1.0, "right", "next preset"),
    Key("left", "show.previous", 1.0, "left", "previous preset"),
    Key("space", "show.tap", 1.0, "space", "tap the tempo"),
    Key("x", "show.double", 1.0, "x", "tempo twice as fast"),
    Key("v", "show.half", 1.0, "v", "tempo half as fast"),
    Key("d", "show.resync", 1.0, "d", "the downbeat is now"),
    Key(",", "show.nudge", -0.01, ",  .", "nudge the beat by 10 ms"),
    Key(".", "show.nudge", 0.01),
    Key("q", "show.quantise", 1.0, "q", "changes wait: now, beat, bar, phrase"),
    Key("j", "show.jump", 1.0, "j", "jump to the next keyframe"),
    Key("a", "show.autopilot", 1.0, "a", "autopilot on or off"),
    Key("c", "show.decks", 1.0, "c", "two decks, or one"),
    Key("enter", "show.take", 1.0, "enter", "take: the other deck comes in"),
    Key("k", "app.keep", 1.0, "k", "keep this place in the bank"),
    Key("l", "bank.next", 1.0, "l", "the next kept place"),
    Key("o", "bank.breed", 1.0, "o", "offspring of the kept places"),
    Key("w", "bank.let_go", 1.0, "w", "back to the walk"),
    Key("b", "show.blackout", 1.0, "b", "blackout, and back"),
    Key("z", "show.freeze", 1.0, "z", "freeze, and go on"),
    Key("p", "show.panic", 1.0, "p", "panic: light, all knobs back, nothing held"),
    Key("m", "app.learn", 1.0, "m", "a pad learns a key"),
    Key("f", "app.fullscreen", 1.0, "f", "full screen, and back"),
    Key("h", "app.hud", 1.0, "h", "what it hears; again: figures; off"),
    Key("s", "app.snapshot", 1.0, "s", "save a picture"),
    Key("r", "app.record", 1.0, "r", "start or stop recording"),
    Key("?", "app.help", 1.0, "?  F1", "this help"),
    Key("f1", "app.help"),
    Key("esc", "app.quit", 1.0, "esc esc", "quit", twice=True),
)

#: Key.key -> Key
BY_KEY = {entry.key: entry for entry in KEYS}

#: What a pad may be taught: all but to end the show, and to teach.
TAUGHT = frozenset(entry.address for entry in KEYS if not entry.twice) - {"app.learn"}

#: Seconds within which the second press must follow.
TWICE_WITHIN_S = 1.0


PRESSED = 0.5  # a controller's value from which on its button is down; any velocity will do for a note


LOST = "button.lost"  # the cable of a controller came out while its button was down: text says which, "cc20 ch1"


@dataclass(frozen=True, slots=True)
class Act:
    """What a key does: the address of its event, and the value."""

    address: str
    value: float = 1.0
