"""Find out what a stranger's model takes and makes, by running it in a process of its own with bounds."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from performer.content.models.card import load
from performer.content.models.onnx_file import examine
from performer.generators.tools.input_roles import TOLD_ROLES
from performer.generators.tools.model_trial import DRAWS, MEMORY_BYTES, Found, Told, Trial
from performer.system.errors import Fault
from performer.system.sandbox import answer, ask

TIME_S = 30.0  # for all that is tried

__all__ = ["Found", "Told", "known", "probe", "sha256"]


def sha256(path: Path) -> str:
    """Of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def probe(path: Path, told: Told | None = None) -> Found:
    """Work out inputs and outputs of an ONNX file. Raises Fault, in one line, where it cannot be played."""
    examine(path)
    told = told or Told()
    time_s = TIME_S * told.patience
    said = ask(
        "performer.generators.tools.probe:attend",
        path,
        {**asdict(told), "path": str(path)},
        time_s,
        f"took longer than {time_s:.0f} s to load and draw {DRAWS} pictures; not for live use",
    )
    return Found(said["card"], said["notes"])


def known(path: Path) -> None:
    """Try a model, unless its card was written for just this file. Raises Fault."""
    try:
        card = load(path.with_suffix(".toml"))
        if not path.is_file():
            raise Fault(f"{path}: not a model file, but a folder or a device")
        if card.sha256 == sha256(path):
            return
    except OSError as error:
        raise Fault(f"{path}: cannot be read: {error.strerror}") from None
    words = {"image": "picture"}
    roles = {entry.name: words.get(entry.role, entry.role) for entry in card.inputs if entry.role != "constant"}
    roles |= {entry.name: repr(entry.value) for entry in card.inputs if entry.role == "constant"}
    ours = any(entry.role not in (*TOLD_ROLES, "image", "constant") for entry in card.inputs)
    size = None if card.kind == "filter" else card.latent
    probe(path, Told(latent=size, output=card.output or None, roles={} if ours else roles))


def attend() -> None:
    """The body of that process."""
    answer(_attend, MEMORY_BYTES)


def _attend(words: dict[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in words.items()}
    found = Trial(Path(given.pop("path")), Told(**given)).found()
    return {"card": found.card, "notes": found.notes}
