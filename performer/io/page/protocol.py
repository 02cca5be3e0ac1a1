"""Messages of the page as events for the show's queue. Whatever is none raises BadMessage, and does nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from performer.show.cues import QUANTA
from performer.types.actions import ACTIONS
from performer.types.frame import ControlEvent

MOST_CHARACTERS = 16_384
LONGEST_NAME = 60
MOST_TAGS = 8
LONGEST_TAG = 24

#: Word -> address, of actions that need no more than a name, if that.
PLAIN = {action.page: action.address for action in ACTIONS if action.page}

#: The page's buttons: word and label of each.
BUTTONS = [{"do": action.page, "label": action.button} for action in ACTIONS if action.button]


class BadMessage(Exception):
    """Not a message that the page sends; says why."""


def read(text: str) -> dict[str, Any]:
    """One message: an object whose `do` is a word. Raises BadMessage."""
    if len(text) > MOST_CHARACTERS:
        raise BadMessage(f"{len(text)} characters; {MOST_CHARACTERS} are the most")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise BadMessage("no JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("do"), str):
        raise BadMessage("expected an object with `do`")
    return message


def event(message: Mapping[str, Any], t: float, model: str) -> ControlEvent | None:
    """The event of a message that needs no more than itself; None for others. Raises BadMessage.

    Parameters
    ----------
    model : str
        That plays, whose bank is meant.
    """
    do = message["do"]
    if do == "preset":
        return ControlEvent(t, "show.preset", 0.0, name(message, "name"))
    if do == "quantise":
        if message.get("name") not in QUANTA:
            raise BadMessage(f"quantise is one of {', '.join(QUANTA)}")
        return ControlEvent(t, "show.quantise", 1.0, message["name"])
    if do == "recall":
        return ControlEvent(t, "bank.recall", -1.0, name(message, "name"), words=(model,))
    if do == "rename":
        return ControlEvent(
            t, "bank.rename", 1.0, name(message, "name"), words=(model, name(message, "old"), *tags(message))
        )
    if do == "drop":
        return ControlEvent(t, "bank.drop", 1.0, name(message, "name"), words=(model,))
    if do == "knob":
        return _knob(message, t)
    if do in PLAIN:
        return ControlEvent(t, PLAIN[do], 1.0, name(message, "name", ""))
    return None


def _knob(message: Mapping[str, Any], t: float) -> ControlEvent:
    address, value = name(message, "address", most=160), message.get("value")
    given = value if isinstance(value, list) else [value]
    parts = [float(part) for part in given if isinstance(part, (int, float)) and abs(part) < 1e9]
    if not 1 <= len(given) <= 4 or len(parts) < len(given):
        raise BadMessage("a parameter's value is a number, or up to four")
    return ControlEvent(t, f"knob.{address}", parts[0], ",".join(map(repr, parts)) if isinstance(value, list) else "")


def name(message: Mapping[str, Any], key: str, otherwise: str | None = None, most: int = LONGEST_NAME) -> str:
    """A short text without control characters. Raises BadMessage."""
    value = message.get(key, otherwise)
    if not isinstance(value, str) or len(value) > most or not (value or otherwise == "") or not value.isprintable():
        raise BadMessage(f"{key} is a text of 1 to {most} characters")
    return value


def tags(message: Mapping[str, Any]) -> tuple[str, ...]:
    """Words to find a place by. Raises BadMessage."""
    value = message.get("tags", [])
    if (
        not isinstance(value, list)
        or len(value) > MOST_TAGS
        or not all(isinstance(tag, str) and 0 < len(tag) <= LONGEST_TAG and tag.isprintable() for tag in value)
    ):
        raise BadMessage(f"tags are at most {MOST_TAGS} words of up to {LONGEST_TAG} characters")
    return tuple(value)


def number(message: Mapping[str, Any], key: str, low: float, high: float, otherwise: float) -> float:
    """A number in a range. Raises BadMessage."""
    value = message.get(key, otherwise)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise BadMessage(f"{key} is a number from {low:g} to {high:g}")
    return float(value)
