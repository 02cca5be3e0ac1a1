"""Let an exported generator's features be enlarged in the order in which a processor's convolutions want them.

ONNX Runtime keeps channels in blocks of 8 or 16 (NCHWc, as in Georganas et al., "Anatomy of high-performance deep
learning convolutions on SIMD architectures", 2018) only from a convolution or a pooling on. What comes of a style is
in plain order, so that it was enlarged slowly and put in order at four times the size. Pooling of 1x1 changes nothing,
costs a copy, and begins the blocks before: pictures of 128 and 256 pixels take four fifths of the time.
"""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import helper, shape_inference

BLOCK = 16  # the widest; with other numbers of channels a convolution takes the plain order


def blocked(path: Path) -> int:
    """Rewrite a model's file in this way; how many places were changed, 0 where there was nothing to do."""
    model = onnx.load(str(path))
    graph = model.graph
    shapes = {
        value.name: [side.dim_value for side in value.type.tensor_type.shape.dim]
        for value in shape_inference.infer_shapes(model).graph.value_info
    }
    made = {name: node for node in graph.node for name in node.output}
    wanted = {name for node in graph.node if node.op_type == "Conv" for name in node.input[:1]}
    nodes: list[onnx.NodeProto] = []
    changed = 0
    for node in graph.node:
        plain = node.input[0] if node.op_type == "Resize" and node.output[0] in wanted else ""
        shape = shapes.get(plain, [])
        if len(shape) == 4 and shape[1] and shape[1] % BLOCK == 0 and made[plain].op_type not in ("Conv", "MaxPool"):
            name = f"{plain}_blocked"
            nodes.append(helper.make_node("MaxPool", [plain], [name], name=f"block_{plain}", kernel_shape=[1, 1]))
            node.input[0] = name
            changed += 1
        nodes.append(node)
    if changed:
        del graph.node[:]
        graph.node.extend(nodes)
        onnx.checker.check_model(model)
        onnx.save(model, str(path))
    return changed
