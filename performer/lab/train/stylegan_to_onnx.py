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

from performer.content.models.inputs import beside
from performer.generators.tools.import_model import bring, place
from performer.generators.tools.probe import Found, Told, sha256
from performer.system.errors import Fault
from performer.system.extras import install_line
from performer.system.sandbox import answer, ask

TIME_S = 600.0
MEMORY_BYTES = 24 << 30  # of addresses: torch alone maps several
PATIENCE = 10.0  # such models are often for a graphics card, and tried on the processor
TRUNCATIONS = (1.0, 0.5)  # at which the two are compared


@dataclass(frozen=True, kw_only=True)
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


def bring_weights(
    file: Path, name: str, to: Path, told: Told, licence: str, title: str, force: bool
) -> tuple[Path, Found]:
    """Bring the generator in a file of weights in, as NAME.onnx with its card and sheet. Raises Fault."""
    place(name, to, force)
    for option, value in (
        ("--latent", told.latent),
        ("--range", told.range),
        ("--layout", told.layout),
        ("--output", told.output),
        ("--role", told.roles or None),
        ("--channels", told.order),
        ("--input-range", told.input_range),
    ):
        if value is not None:
            raise Fault(f"{option}: is for ONNX files only; {file.name} already says it, so leave it out")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / f"{name}.onnx"
        found = convert(file, made, told.class_)
        facts = {
            "kind": "gan",
            "data": {"source": "unknown", "weights": file.name, "weights_sha256": sha256(file)},
            "training": {
                "what": "unknown",
                "net": found.what,
                "parameters": found.parameters,
                "export_difference": float(f"{found.difference:.1e}"),
            },
        }
        told = replace(told, range=(0.0, 1.0), patience=PATIENCE)
        try:
            out, seen = bring(made, name, to, told, licence, title, force, facts)
        except Fault as fault:
            raise Fault(str(fault).replace(str(made), str(file))) from None
    where = f" in {found.place}" if found.place else ""
    return out, replace(
        seen, notes=[f"{found.what}{where}, {found.parameters / 1e6:.1f} million weights", *found.notes, *seen.notes]
    )


def convert(file: Path, out: Path, label: int = 0) -> Converted:
    """Write the generator in a .pt or .safetensors file as ONNX, and beside it its mapping, for a label.

    Raises Fault in one line, and then writes nothing.
    """
    missing = [name for name in ("torch", "onnx", "onnxscript") if importlib.util.find_spec(name) is None]
    if missing:
        raise Fault(f"{file}: to turn weights into a model, {missing[0]} is needed: {install_line('weights')}")
    said = ask(
        "performer.lab.train.stylegan_to_onnx:attend",
        file,
        {"path": str(file), "out": str(out), "label": label},
        TIME_S,
        f"took longer than {TIME_S:.0f} s to turn into ONNX",
    )
    return Converted(**said)


def attend() -> None:
    """The body of that process."""
    answer(_attend, MEMORY_BYTES)


def _attend(words: dict[str, Any]) -> dict[str, Any]:
    import torch

    from performer.lab.train.stylegan_formats import load

    begun = perf_counter()
    torch.set_num_threads(2)
    path = Path(words["path"])
    out = Path(words["out"])
    label = words["label"]
    try:
        found = load(path)
        classes = found.generator.mapping.classes
        if label >= max(classes, 1):
            raise Fault(
                f"{path}: --label {label}: "
                + (f"there are labels 0 to {classes - 1}" if classes else "this model takes none")
            )
        difference = max(_export(path, found.generator, out), _mapped(path, found.generator.mapping, label, out))
    except (RuntimeError, MemoryError) as error:
        line = " ".join(str(error).split())[:200]
        if "memory" in line or isinstance(error, MemoryError):
            raise MemoryError from None
        raise Fault(f"{path}: fails as a network: {line}") from None
    mapping = found.generator.mapping
    return {
        "what": found.what,
        "place": found.place,
        "latent": mapping.latent,
        "classes": mapping.classes,
        "parameters": found.parameters,
        "difference": difference,
        "seconds": perf_counter() - begun,
        "notes": found.notes,
    }


def _export(path: Path, generator: Any, out: Path) -> float:
    """The largest difference between torch and ONNX Runtime. Raises Fault where it is no good."""
    import onnxruntime as ort
    import torch

    from performer.lab.train.export import OPSET, TOLERANCE

    rng = torch.Generator().manual_seed(1)
    given = {
        name: torch.randn(shape, generator=rng) * (1.0 if name.startswith("z") else 0.1)
        for name, shape in generator.inputs().items()
    }
    if "label" in given:
        given["label"] = torch.eye(generator.mapping.classes)[-1:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            generator,
            tuple(given.values()),
            str(out),
            input_names=list(given),
            output_names=["image"],
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    session = ort.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    worst = 0.0
    for truncation in TRUNCATIONS:
        given["truncation"] = torch.full((1, 1), truncation)
        with torch.no_grad():
            wanted = generator(*given.values()).numpy()
        (made,) = session.run(None, {name: value.numpy() for name, value in given.items()})
        if not np.isfinite(wanted).all():
            raise Fault(f"{path}: makes NaN or infinite values")
        worst = max(worst, float(np.abs(made - wanted).max()))
    if worst > TOLERANCE:
        raise Fault(f"{path}: ONNX Runtime differs from torch by {worst:.2g}; not exported")
    return worst


def _mapped(path: Path, mapping: Any, label: int, out: Path) -> float:
    """Write the mapping by itself: latents (N, D) to styles (N, W). The difference as above."""
    import onnx
    import onnxruntime as ort
    import torch
    from onnx import helper, numpy_helper

    from performer.lab.train.export import OPSET, TOLERANCE
    from performer.lab.train.stylegan import GAIN, SLOPE

    one_hot = torch.eye(mapping.classes)[label : label + 1] if mapping.classes else None
    with torch.no_grad():
        first = mapping.layers[0].bias + mapping.shift(one_hot)
    stored = {"small": torch.tensor(1e-8), "gain": torch.tensor(GAIN), "axis": torch.tensor([1])}
    nodes = [
        helper.make_node(kind, given, [made])
        for kind, given, made in (
            ("Mul", ["z", "z"], "squares"),
            ("ReduceMean", ["squares", "axis"], "mean"),
            ("Add", ["mean", "small"], "sum"),
            ("Sqrt", ["sum"], "length"),
            ("Div", ["z", "length"], "x0"),
        )
    ]
    for i, layer in enumerate(mapping.layers):
        stored[f"weight{i}"] = layer.weight if i else mapping.met
        stored[f"bias{i}"] = layer.bias if i else first.reshape(-1)
        nodes += [
            helper.make_node("Gemm", [f"x{i}", f"weight{i}", f"bias{i}"], [f"dense{i}"], transB=1),
            helper.make_node("LeakyRelu", [f"dense{i}"], [f"bent{i}"], alpha=SLOPE),
            helper.make_node("Mul", [f"bent{i}", "gain"], [f"x{i + 1}" if i + 1 < len(mapping.layers) else "w"]),
        ]
    sides = {"z": mapping.latent, "w": mapping.style}
    ends = {
        name: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", side]) for name, side in sides.items()
    }
    graph = helper.make_graph(
        nodes,
        "mapping",
        [ends["z"]],
        [ends["w"]],
        [numpy_helper.from_array(value.numpy(), name) for name, value in stored.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, str(beside(out)))
    z = torch.randn(3, mapping.latent, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        wanted = mapping(z, None if one_hot is None else one_hot.repeat(3, 1)).numpy()
    session = ort.InferenceSession(str(beside(out)), providers=["CPUExecutionProvider"])
    worst = float(np.abs(session.run(None, {"z": z.numpy()})[0] - wanted).max() / max(1.0, np.abs(wanted).max()))
    if not worst <= TOLERANCE:
        raise Fault(f"{path}: its mapping in ONNX Runtime differs from torch by {worst:.2g}; not exported")
    return worst
