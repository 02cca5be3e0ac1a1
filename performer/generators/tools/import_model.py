"""Bring a model in: find out what it is, write its card, draw a sheet; and tell what a model is good for."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import onnxruntime as ort
import psutil
import tomlkit
from PIL import Image

from performer.content.library import FACTORY
from performer.content.models.card import load
from performer.content.models.inputs import beside
from performer.content.models.onnx_file import locations
from performer.generators.onnx.session import OnnxGenerator, create
from performer.generators.tools.probe import Found, Told, probe, sha256
from performer.latent.walks import latent
from performer.system import folders
from performer.system.errors import Fault, counted

NAME = re.compile(r"^[a-z][a-z0-9_]*$")
SPARE = 1.25  # of a picture's time, for what else the machine does
COLUMNS = 6
ROWS = 4
SHEET_WIDTH = 1536
SHEET_S = 6.0
TIMED = 60


def named(file: Path) -> str:
    """A name for a model, made of its file's: letters that every keyboard has, digits and underscores."""
    plain = unicodedata.normalize("NFKD", file.stem.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return name if NAME.match(name) else f"model_{name}".rstrip("_")


def place(name: str, to: Path, force: bool) -> Path:
    """Where a model of that name goes in a folder of models. Raises Fault where it cannot."""
    if not NAME.match(name):
        raise Fault(f"--name {name!r}: expected lower-case letters (a to z), digits and underscores, a letter first")
    out = to / f"{name}.onnx"
    if out.exists() and not force:
        raise Fault(f"{out}: there is a model of that name; choose another --name, or --force")
    if to == folders.data() / "models" and (FACTORY / "models" / out.name).exists() and not (force or out.exists()):
        raise Fault(
            f"--name {name}: is a factory model that presets use; choose another --name, or --force to replace it"
        )
    there = next(folder for folder in (to, *to.absolute().parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise Fault(f"{to}: models cannot be written there; choose another folder: --to DIR")
    return out


def bring(
    file: Path,
    name: str,
    to: Path,
    told: Told,
    licence: str,
    title: str,
    force: bool,
    facts: dict[str, Any] | None = None,
) -> tuple[Path, Found]:
    """Copy an ONNX file into a folder of models as NAME.onnx, with a card and a sheet of samples.

    Nothing is left behind where the model cannot be played.

    Parameters
    ----------
    facts : dict[str, Any], optional
        Facts of the card, that are known beforehand.

    Raises
    ------
    Fault
        What is wrong, where, and the likely mend, in one line.
    """
    out = place(name, to, force)
    found = probe(file, told)
    card = tomlkit.document()
    for key, value in {
        "title": title or name.replace("_", " ").title(),
        **found.card,
        "licence": licence,
        "sha256": sha256(file),
        **(facts or {}),
    }.items():
        card[key] = value
    with tempfile.TemporaryDirectory() as aside:
        trial = Path(aside) / out.name
        data = sorted(locations(file))
        for location in data:
            (Path(aside) / location).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.parent / location, Path(aside) / location)
        shutil.copyfile(file, trial)
        mapping = [beside(trial).name] if beside(file).is_file() else []
        for part in mapping:
            shutil.copyfile(beside(file), Path(aside) / part)
        trial.with_suffix(".toml").write_text(tomlkit.dumps(card), encoding="utf-8")
        try:
            sheet(create(trial, "cpu")).save(trial.with_suffix(".png"))
        except Fault as fault:  # of the file that was given, not of its copy
            raise Fault(str(fault).replace(str(trial.with_suffix("")), str(file.with_suffix("")))) from None
        for location in data:
            other = to / location
            if other.exists() and sha256(other) != sha256(Path(aside) / location):
                raise Fault(f"{other}: already exists, with other data; import into a folder of its own: --to DIR")
        try:
            for part in (".encoder.onnx", ".directions.npz"):  # of the model that had this name
                out.with_suffix(part).unlink(missing_ok=True)
            for part in (*data, *mapping, out.with_suffix(".toml").name, out.with_suffix(".png").name, out.name):
                (to / part).parent.mkdir(parents=True, exist_ok=True)
                shutil.move(Path(aside) / part, to / part)
        except OSError as error:
            raise Fault(f"{to}: cannot be written: {error.strerror}; choose another folder: --to DIR") from None
    return out, found


def sheet(model: OnnxGenerator) -> Image.Image:
    """Samples from all over a model's latents, or what it makes of a test picture."""
    if model.card.kind == "filter":
        ramp = np.linspace(0.0, 1.0, 256, dtype=np.float32)
        test = np.stack(
            [
                np.tile(ramp, (256, 1)),
                np.tile(ramp[:, None], (1, 256)),
                0.5 + 0.5 * np.sin(ramp[None] * 40.0) * np.sin(ramp[:, None] * 40.0),
            ]
        )
        made = [model.change(test), model.change(test[:, :, ::-1]), model.change(1.0 - test)]
        columns = 3
        pictures = [picture for picture in made if isinstance(picture, np.ndarray)]  # none stays on a card unasked
    else:
        pictures = []
        columns = COLUMNS
        begun = perf_counter()
        for i in range(COLUMNS * ROWS):
            picture = model.paint(latent("tour", float(i), 1, model.card.latent, 1.0))
            assert isinstance(picture, np.ndarray)
            pictures.append(picture.copy())
            if len(pictures) == COLUMNS and perf_counter() - begun > SHEET_S:  # one row of a slow one is enough
                break
    rows = [np.concatenate(pictures[i : i + columns], axis=2) for i in range(0, len(pictures), columns)]
    pixels = np.clip(np.concatenate(rows, axis=1).transpose(1, 2, 0), 0.0, 1.0)
    whole = Image.fromarray((pixels * 255.0 + 0.5).astype(np.uint8))
    if whole.width > SHEET_WIDTH:
        whole = whole.resize((SHEET_WIDTH, round(whole.height * SHEET_WIDTH / whole.width)), Image.Resampling.LANCZOS)
    return whole


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a model is good for on this machine.

    Attributes
    ----------
    provider : str
        That ran most of its operators, as the run's own profile says.
    share : float
        Share of the operators.
    way : str
        In which it ran.
    tried : tuple[str, ...]
        What came of each way that there was.
    fits : bool
        Whether it makes a picture for every one of the display's, with a fifth to spare.
    """

    sha256: str
    as_imported: bool | None
    licence: str
    latent: int
    size: tuple[int, int]
    provider: str
    share: float
    memory_mb: float
    p50_ms: float
    p95_ms: float
    fps: float
    fits: bool
    way: str = "CPU"
    tried: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        hz = 1000.0 / (self.p95_ms * SPARE)
        known = {True: "as imported", False: "NOT the file its card was written for", None: "its card names no hash"}
        return [
            f"file       sha256 {self.sha256[:16]}..., {known[self.as_imported]}",
            f"licence    {self.licence}",
            f"latent     {counted(self.latent, 'number')}",
            f"image      {self.size[0]}x{self.size[1]}",
            f"ran on     {self.provider} ({self.share:.0%} of its operators)"
            + ("" if self.way == self.provider else f", as {self.way}"),
            *(f"  tried    {line}" for line in self.tried),
            f"memory     {self.memory_mb:.0f} MB",
            f"per image  {self.p50_ms:.2f} ms p50, {self.p95_ms:.2f} ms p95",
            f"verdict    {'keeps' if self.fits else 'does not keep'} up with {self.fps:g} frames per second"
            + ("" if self.fits else f": {hz:.0f} are safe; shaders and crossfades fill the time between its images"),
        ]


def judge(path: Path, provider: str, fps: float) -> Verdict:
    """Load a model, prove where it runs, time it. Raises Fault."""
    card = load(path.with_suffix(".toml"))
    digest = sha256(path)
    process = psutil.Process()
    before = process.memory_info().rss
    model = create(path, provider)
    runs = _timed(model)
    memory = max(process.memory_info().rss - before, path.stat().st_size) / 1e6
    where = _where(path, model)
    most, count = where.most_common(1)[0]
    p50 = 1e3 * float(np.median(runs))
    p95 = 1e3 * float(np.quantile(runs, 0.95))
    return Verdict(
        sha256=digest,
        as_imported=digest == card.sha256 if card.sha256 else None,
        licence=card.licence,
        latent=card.latent,
        size=card.size,
        provider=most.removesuffix("ExecutionProvider"),
        share=count / sum(where.values()),
        memory_mb=memory,
        p50_ms=p50,
        p95_ms=p95,
        fps=fps,
        fits=p95 * SPARE <= 1000.0 / fps,
        way=model.provider,
        tried=tuple(trial.line() for trial in model.trials),
    )


def _once(model: OnnxGenerator, number: int) -> None:
    if model.card.kind == "filter":
        model.change(np.full((3, 64, 64), number % 7 / 7.0, np.float32))
    else:
        model.paint(latent("drift", 0.1 * number, 1, model.card.latent, 1.0))


def _timed(model: OnnxGenerator) -> list[float]:
    took = []
    for i in range(TIMED):
        begun = perf_counter()
        _once(model, i)
        took.append(perf_counter() - begun)
        if sum(took) > 20.0:
            break
    return took[3:] or took


def _where(path: Path, model: OnnxGenerator) -> Counter[str]:
    """Provider -> how many operators it ran, by a run's profile: the session itself only tells what it would like."""
    with tempfile.TemporaryDirectory() as folder:
        options = ort.SessionOptions()
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        profiled = OnnxGenerator(path, model.way, options=options)
        _once(profiled, 1)
        events: list[dict[str, Any]] = json.loads(Path(profiled.end_profiling()).read_text(encoding="utf-8"))
    ran = Counter(
        str(event["args"]["provider"])
        for event in events
        if event.get("cat") == "Node" and event.get("args", {}).get("provider")
    )
    return ran or Counter({model.provider: 1})
