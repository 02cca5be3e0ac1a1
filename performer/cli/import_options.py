"""What a person says of a model that comes in, and what it was found to be, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from performer.system.errors import Fault

if TYPE_CHECKING:
    from performer.generators.tools.value_range import Scale


def range_of(text: str, option: str = "--range") -> tuple[float, float] | None:
    """(low, high) from "-1,1"; None from "". Raises Fault."""
    if not text:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise Fault(f"{option} {text!r}: expected two numbers, such as -1,1") from None
    if low == high or not max(abs(low), abs(high)) <= 1e6:
        raise Fault(f"{option} {text!r}: expected two different, finite numbers, such as -1,1")
    return low, high


def scale_of(option: str, text: str) -> Scale | None:
    """Which values are black and white, from "-1,1" or "imagenet"; None from "". Raises Fault."""
    from performer.generators.tools.value_range import IMAGENET, Scale

    if text.lower() == "imagenet":
        return Scale((0.0, 1.0), *IMAGENET)
    range_ = range_of(text, option)
    return None if range_ is None else Scale(range_)


def roles_told(words: list[str]) -> dict[str, str]:
    """Input -> role, from NAME=ROLE. Raises Fault."""
    told = {}
    for word in words:
        name, equals, role = word.rpartition("=")
        if not equals or not name or not role:
            raise Fault(f"--role {word!r}: expected NAME=ROLE, such as mask=1 or style=picture")
        told[name] = role
    return told


def told_of(card: dict[str, Any]) -> list[str]:
    """What a card says of inputs and output, a line for each, for people."""
    from performer.generators.tools.value_range import Scale

    lines = []
    for entry in card["inputs"]:
        sides = "x".join(map(str, entry["shape"])) or "one number"
        role = entry["role"]
        what = {"image": "picture", "latent": "latent, walked"}.get(role, role)
        if role == "image":
            scale = Scale(tuple(entry["range"]), tuple(entry.get("mean", ())), tuple(entry.get("std", ())))
            what += f", {entry['layout']}, {entry.get('order', 'rgb')}, {scale.words()}"
        elif "value" in entry:
            what += f", {entry['value']:g}"
        lines.append(f"takes  {entry['name']}: {what} ({sides} {entry['type']})")
    scale = Scale(tuple(card["range"]), tuple(card.get("mean", ())), tuple(card.get("std", ())))
    colours = {1: "grey", 3: "", 4: "with alpha, "}[card["channels"]]
    colours += "" if card["channels"] == 1 else card.get("order", "rgb")
    lines.append(f"makes  {card['size'][0]}x{card['size'][1]}, {card['layout']}, {colours}, {scale.words()}")
    return lines
