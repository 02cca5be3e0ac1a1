"""Give a style-based generator two more inputs, so that middle and fine layers may follow latents of their own.

Style mixing (Karras et al., "A style-based generator architecture", 2019) on the exported graph: what maps a latent
to a style is there three times, and each layer listens to one of them. With one latent for all it is as before.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import onnx
from onnx import helper

LEAST_LAYERS = 4
# shares of the layers: shapes and places, and colours and grain
COARSE = 0.55
FINE = 0.15


def split(path: Path) -> bool:
    """Rewrite a model's file in this way; False, and nothing done, where it has no styles to mix."""
    model = onnx.load(str(path))
    graph = model.graph
    stored = {tensor.name for tensor in graph.initializer}
    (entry,) = graph.input if len(graph.input) == 1 else (None,)
    if entry is None:
        return False
    heard = Counter(
        node.input[0] for node in graph.node if node.op_type in ("Gemm", "MatMul") and node.input[0] not in stored
    )
    if not heard or heard.most_common(1)[0][1] < LEAST_LAYERS:
        return False
    style = heard.most_common(1)[0][0]
    mapping = ancestors(graph, style)
    layers = [node for node in graph.node if style in node.input]
    if entry.name not in {name for node in mapping for name in node.input}:
        return False
    last = len(layers) - max(1, round(FINE * len(layers)))
    first = min(round(COARSE * len(layers)), last - 1)
    nodes = list(graph.node)
    for part, some in (("middle", layers[first:last]), ("fine", layers[last:])):
        renamed = {entry.name: f"{entry.name}_{part}"}
        for node in mapping:
            renamed |= {name: f"{name}_{part}" for name in node.output}
        copies = []
        for node in mapping:
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            copy.name = f"{node.name}_{part}"
            copy.input[:] = [renamed.get(name, name) for name in node.input]
            copy.output[:] = [renamed[name] for name in node.output]
            copies.append(copy)
        for node in some:
            node.input[:] = [renamed[style] if name == style else name for name in node.input]
        nodes = copies + nodes
        graph.input.append(
            helper.make_tensor_value_info(
                renamed[entry.name],
                entry.type.tensor_type.elem_type,
                [side.dim_value for side in entry.type.tensor_type.shape.dim],
            )
        )
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return True


def ancestors(graph: onnx.GraphProto, name: str) -> list[onnx.NodeProto]:
    """The nodes that a value comes from, in order."""
    wanted = {name}
    found = []
    for node in reversed(graph.node):
        if wanted & set(node.output):
            found.append(node)
            wanted |= set(node.input)
    return found[::-1]
