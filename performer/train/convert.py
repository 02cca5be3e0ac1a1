"""StyleGAN2 and StyleGAN3 weights -> one ONNX file, worked out in a process of its own with bounds on time and memory.

PyTorch is imported in that process alone.
"""

from __future__ import annotations

import importlib.util
import tempfile
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from performer.errors import Fault
from performer.generators.aside import answer, ask
from performer.generators.bring import bring, place
from performer.generators.probe import Found, Told, sha256

TIME_S = 600.0
MEMORY_BYTES = 24 << 30  # of addresses: torch alone maps several
PATIENCE = 5.0  # such models are often for a graphics card, and tried on the processor
INPUTS = ("z", "z_middle", "z_fine", "truncation", "label")
TRUNCATIONS = (1.0, 0.5)  # at which the two are compared


@dataclass(frozen=True)
class Converted:
    """What was found in the file: in words, with the place inside it, and how far the export is from torch."""

    what: str
    place: str
    latent: int
    classes: int
    parameters: int
    difference: float
    seconds: float
    notes: list[str]


def bring_weights(file: Path, name: str, to: Path, told: Told, licence: str, title: str,
                  force: bool) -> tuple[Path, Found]:
    """Bring the generator in a file of weights in, as NAME.onnx with its card and sheet. Raises Fault."""
    place(name, to, force)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / f"{name}.onnx"
        found = convert(file, made)
        if told.class_ and told.class_ >= found.classes:
            raise Fault(f"--label {told.class_}: " + (f"there are labels 0 to {found.classes - 1}" if found.classes
                                                      else "this model takes none"))
        facts = {
            "kind": "gan",
            "data": {"source": "unknown", "weights": file.name, "weights_sha256": sha256(file)},
            "training": {"what": "unknown", "net": found.what, "parameters": found.parameters,
                         "export_difference": float(f"{found.difference:.1e}")}}
        told = replace(told, range=(0.0, 1.0), patience=PATIENCE)
        try:
            out, seen = bring(made, name, to, told, licence, title, force, facts)
        except Fault as fault:
            raise Fault(str(fault).replace(str(made), str(file))) from None
    where = f" in {found.place}" if found.place else ""
    return out, replace(seen, notes=[f"{found.what}{where}, {found.parameters / 1e6:.1f} million weights",
                                     *found.notes, *seen.notes])


def convert(file: Path, out: Path) -> Converted:
    """Write the generator in a .pt or .safetensors file as ONNX. Raises Fault in one line, and then writes nothing."""
    missing = [name for name in ("torch", "onnx", "onnxscript") if importlib.util.find_spec(name) is None]
    if missing:
        raise Fault(f"{file}: to turn weights into a model, {missing[0]} is needed: pip install 'performer[train]'")
    said = ask("performer.train.convert:attend", file, {"path": str(file), "out": str(out)}, TIME_S,
               f"took longer than {TIME_S:.0f} s to turn into ONNX")
    return Converted(**said)


def attend() -> None:
    """The body of that process."""
    answer(_attend, MEMORY_BYTES)


def _attend(words: dict[str, Any]) -> dict[str, Any]:
    import torch

    from performer.train.layouts import load

    begun = perf_counter()
    torch.set_num_threads(2)
    path, out = Path(words["path"]), Path(words["out"])
    try:
        found = load(path)
        difference = _export(path, found.generator, out)
    except Fault:
        out.unlink(missing_ok=True)
        raise
    except (RuntimeError, MemoryError) as error:
        out.unlink(missing_ok=True)
        line = " ".join(str(error).split())[:200]
        if "memory" in line or isinstance(error, MemoryError):
            raise MemoryError from None
        raise Fault(f"{path}: fails as a network: {line}") from None
    mapping = found.generator.mapping
    return {"what": found.what, "place": found.place, "latent": mapping.latent, "classes": mapping.classes,
            "parameters": found.parameters, "difference": difference, "seconds": perf_counter() - begun,
            "notes": found.notes}


def _export(path: Path, generator: Any, out: Path) -> float:
    """The largest difference between torch and ONNX Runtime. Raises Fault where it is no good."""
    import onnxruntime as ort
    import torch

    from performer.train.export import OPSET, TOLERANCE

    rng = torch.Generator().manual_seed(1)
    mapping = generator.mapping
    given = [*(torch.randn(1, mapping.latent, generator=rng) for _ in range(3)), torch.ones(1)]
    if mapping.classes:
        given.append(torch.eye(mapping.classes)[-1:])
    names = INPUTS[:len(given)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(generator, tuple(given), str(out), input_names=names, output_names=["image"],
                          opset_version=OPSET, dynamo=True, external_data=False, verbose=False)
    session = ort.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    worst = 0.0
    for truncation in TRUNCATIONS:
        given[3] = torch.tensor([truncation])
        with torch.no_grad():
            wanted = generator(*given).numpy()
        made = session.run(None, {name: value.numpy() for name, value in zip(names, given, strict=True)})[0]
        if not np.isfinite(wanted).all():
            raise Fault(f"{path}: makes NaN or infinite values")
        worst = max(worst, float(np.abs(made - wanted).max()))
    if worst > TOLERANCE:
        raise Fault(f"{path}: ONNX Runtime differs from torch by {worst:.2g}; not exported")
    return worst
