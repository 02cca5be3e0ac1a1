"""Small ONNX models."""

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

onnx = pytest.importorskip("onnx")


H, W, D = 16, 24, 12


FLOAT = TensorProto.FLOAT


def save(path: Path, nodes, inputs, outputs, weights=(), **more) -> Path:
    graph = helper.make_graph(nodes, "made", inputs, outputs, [numpy_helper.from_array(v, k) for k, v in weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.save(model, path, **more)
    return path


def model(
    path: Path, latent=(1, D), out=(1, 3, H, W), low=-1.0, high=1.0, gain=1.0, size=D, batch=None, **more
) -> Path:
    """A model whose picture is tanh of a random matrix times its latent, from low to high, times a gain."""
    matrix = np.random.default_rng(3).standard_normal((size, int(np.prod(out)))).astype(np.float32) * 0.4
    nodes = [
        helper.make_node("Reshape", ["z", "flat"], ["row"]),
        helper.make_node("MatMul", ["row", "matrix"], ["wide"]),
        helper.make_node("Tanh", ["wide"], ["soft"]),
        helper.make_node("Mul", ["soft", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "shift"], ["shifted"]),
        helper.make_node("Reshape", ["shifted", "shape"], ["image"]),
    ]
    weights = [
        ("flat", np.array([1, -1])),
        ("matrix", matrix),
        ("shape", np.array(out)),
        ("scale", np.float32(gain * (high - low) / 2)),
        ("shift", np.float32((high + low) / 2)),
    ]
    named = list(latent)
    if batch is not None:
        named[0] = batch
    return save(
        path,
        nodes,
        [helper.make_tensor_value_info("z", FLOAT, named)],
        [helper.make_tensor_value_info("image", FLOAT, None)],
        weights,
        **more,
    )
