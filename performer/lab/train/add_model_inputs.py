"""Give an exported style-based generator more inlets; at rest they change nothing, to the bit.

w           added to what the mapping network makes of the latent, apart for coarse, middle and fine layers: walks in w
truncation  how far styles and start stray from their means (Karras et al., "A style-based generator architecture for
            generative adversarial networks", 2019)
noise       a field for each size, by which that size's activations swell and shrink. Pixel norm scales all channels of
            a pixel by one number, and multiplying that number costs next to nothing

The mapping network is also written apart, as NAME.mapping.onnx, so that ways through w can be planned.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper, shape_inference

from performer.lab.train.split_style_inputs import LEAST_LAYERS, ancestors

STYLES = ("", "_middle", "_fine")
DRAWS = 8192  # latents, of whose styles the mean is taken


def inlets(path: Path, latent: int) -> list[dict[str, Any]]:
    """Rewrite a model's file in this way, and write its mapping beside it; the card's entries for what was added.

    latent  size of the latent
    Where there are no styles nothing is done, and no entry returned.
    """
    model = onnx.load(str(path))
    graph = model.graph
    stored = {tensor.name for tensor in graph.initializer}
    heard = Counter(node.input[0] for node in graph.node if _dense(node) and node.input[0] not in stored)
    style = next((name for name, _ in heard.most_common() if not name.endswith(STYLES[1:])), "")
    if sum(heard[style + part] for part in STYLES) < LEAST_LAYERS or "w" in {entry.name for entry in graph.input}:
        return []
    made = {name: node for node in graph.node for name in node.output}
    way = ancestors(graph, style)
    passed = {name for node in way for name in node.output} | {graph.input[0].name}
    start = next(
        (node for node in graph.node if _dense(node) and node.input[0] in passed - {style} and node not in way), None
    )
    means = _mapped(model, way, [style] + ([start.input[0]] if start is not None else []), latent, path)
    shapes = {
        value.name: [side.dim_value for side in value.type.tensor_type.shape.dim]
        for value in shape_inference.infer_shapes(model).graph.value_info
    }
    new = _New(graph)
    entries: list[dict[str, Any]] = []
    new.inlet("truncation", (1, 1))
    new.node("Sub", [new.constant("truncation_whole", np.ones((1, 1))), "truncation"], "truncation_rest")
    for part in STYLES:
        if not heard[style + part]:
            continue
        entries.append({"name": f"w{part}", "role": f"w{part}", "shape": new.inlet(f"w{part}", means[0].shape)})
        mixed = new.node("Add", [style + part, f"w{part}"], f"w_sum{part}")
        calm = new.calm(mixed, "w_mean", means[0])
        for node in graph.node:
            if _dense(node) and node.input[0] == style + part:
                node.input[0] = calm
    if start is not None:
        start.input[0] = new.calm(start.input[0], "start_mean", means[1])
    entries.append({"name": "truncation", "role": "truncation", "shape": [1, 1], "value": 1.0})
    for node in list(graph.node):
        if node.op_type != "Mul" or [made[name].op_type if name in made else "" for name in node.input] != [
            "Conv",
            "Reciprocal",
        ]:
            continue
        height, width = shapes[node.input[0]][2:]
        name = f"noise_{height}"
        if name not in new.inlets:
            entries.append({"name": name, "role": "grain", "shape": new.inlet(name, (1, 1, height, width))})
            new.node("Add", [name, new.constant("noise_whole", np.ones(()))], f"{name}_gain")
        node.input[1] = new.node("Mul", [node.input[1], f"{name}_gain"], f"{node.input[1]}_noisy")
    new.put_in()
    del graph.value_info[:]
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return entries


def _dense(node: onnx.NodeProto) -> bool:
    return node.op_type in ("Gemm", "MatMul")


def _mapped(
    model: onnx.ModelProto, way: list[onnx.NodeProto], taps: list[str], latent: int, path: Path
) -> list[np.ndarray]:
    """Write the mapping's file: latents (N, D) to styles (N, W). The means (1, ...) of the taps, styles first."""
    wanted = {name for node in way for name in node.input}
    given = helper.make_tensor_value_info(model.graph.input[0].name, onnx.TensorProto.FLOAT, ["n", latent])
    outs = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in taps]
    graph = helper.make_graph(
        way, "mapping", [given], outs, [tensor for tensor in model.graph.initializer if tensor.name in wanted]
    )
    mapping = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    draws = np.random.default_rng(0).standard_normal((DRAWS, latent)).astype(np.float32)
    draws *= np.sqrt(latent) / np.linalg.norm(draws, axis=1, keepdims=True)
    session = ort.InferenceSession(mapping.SerializeToString(), providers=["CPUExecutionProvider"])
    means = [np.asarray(out, np.float64).mean(axis=0, keepdims=True) for out in session.run(taps, {given.name: draws})]
    del mapping.graph.output[1:]
    mapping.graph.output[0].type.tensor_type.shape.CopyFrom(
        helper.make_tensor_value_info("w", onnx.TensorProto.FLOAT, ["n", means[0].shape[1]]).type.tensor_type.shape
    )
    onnx.checker.check_model(mapping)
    onnx.save(mapping, str(path.with_suffix(".mapping.onnx")))
    return means


class _New:
    """What is added to a graph: inputs, constants and nodes."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._graph, self._nodes = graph, list[onnx.NodeProto]()
        self.inlets: set[str] = set()
        self._constants: set[str] = set()

    def inlet(self, name: str, shape: tuple[int, ...]) -> list[int]:
        self._graph.input.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))
        self.inlets.add(name)
        return list(shape)

    def constant(self, name: str, value: np.ndarray) -> str:
        if name not in self._constants:
            self._constants.add(name)
            self._graph.initializer.append(numpy_helper.from_array(value.astype(np.float32), name))
        return name

    def node(self, kind: str, given: list[str], out: str) -> str:
        self._nodes.append(helper.make_node(kind, given, [out], f"node_{out}"))
        return out

    def calm(self, value: str, name: str, mean: np.ndarray) -> str:
        """value * truncation + mean * (1 - truncation)"""
        far = self.node("Mul", [value, "truncation"], f"{value}_far")
        near = self.node("Mul", [self.constant(name, mean), "truncation_rest"], f"{value}_near")
        return self.node("Add", [far, near], f"{value}_calm")

    def put_in(self) -> None:
        """All nodes, each after those it takes from."""
        waiting = [*self._nodes, *self._graph.node]
        have = {""} | {entry.name for entry in (*self._graph.input, *self._graph.initializer)}
        ordered: list[onnx.NodeProto] = []
        while waiting:
            ready = [node for node in waiting if have.issuperset(node.input)]
            assert ready, "the graph has a loop"
            ordered += ready
            have |= {name for node in ready for name in node.output}
            waiting = [node for node in waiting if not have.issuperset(node.output)]
        copies = []
        for node in ordered:
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            copies.append(copy)
        del self._graph.node[:]
        self._graph.node.extend(copies)
