"""Why a model is no good is said in ONNX Runtime's own last sentence: whole, in words, of the person's own file."""

import sys

import numpy as np
import onnxruntime
import pytest

from performer.generators.tools import import_model as bringing
from performer.generators.tools.probe import Told, probe
from performer.system.errors import Fault
from performer.system.onnx_errors import onnx_reason
from performer.system.sandbox import ask

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

D = 12
INFO = helper.make_tensor_value_info


def save(path, nodes, shape=(1, D), weights=(), opset=17, ir=9, domains=()):
    path.parent.mkdir(parents=True, exist_ok=True)
    graph = helper.make_graph(
        nodes,
        "g",
        [INFO("z", TensorProto.FLOAT, list(shape))],
        [INFO("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in weights],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid(name, opset) for name in ("", *domains)])
    made.ir_version = ir
    path.write_bytes(made.SerializeToString())
    return path


def node(*arguments, **more):
    return helper.make_node(*arguments, **more)


NO_GOOD = {
    "newer file format": (
        {"nodes": [node("Neg", ["z"], ["y"])], "ir": 99},
        "Unsupported model IR version: 99, max supported IR version: ",
    ),
    "newer operators": (
        {"nodes": [node("Neg", ["z"], ["y"])], "opset": 99},
        "it is for opset 99, and ONNX Runtime reads",
    ),
    "operator that is not there": ({"nodes": [node("Dream", ["z"], ["y"])]}, "it has no operator 'Dream'; export"),
    "operator of another maker": (
        {"nodes": [node("UpFirDn", ["z"], ["y"], domain="com.maker")], "domains": ["com.maker"]},
        "it has no operator 'UpFirDn' of 'com.maker'; export",
    ),
    "operator of an unnamed maker": (
        {"nodes": [node("UpFirDn", ["z"], ["y"], domain="com.maker")]},
        "it has no operator 'UpFirDn' of 'com.maker'; export",
    ),
    "input from nowhere": ({"nodes": [node("Add", ["z", "q"], ["y"])]}, "Node input 'q' is not a graph input"),
    "output from nowhere": ({"nodes": [node("Neg", ["z"], ["a"])]}, "Graph output (y) does not exist in the graph"),
    "circle": (
        {"nodes": [node("Add", ["z", "b"], ["a"]), node("Neg", ["a"], ["b"]), node("Neg", ["b"], ["y"])]},
        "the graph is not acyclic",
    ),
    "sizes that do not meet": (
        {"nodes": [node("MatMul", ["z", "m"], ["y"])], "weights": [("m", np.zeros((5, 7), np.float32))]},
        "MatMul: Incompatible dimensions for matrix multiplication",
    ),
    "sizes that do not meet at work": (
        {
            "nodes": [node("Reshape", ["z", "s"], ["y"])],
            "weights": [("s", np.array([1, 3, 16, 16]))],
            "shape": ("n", D),
        },
        "Reshape: The input tensor cannot be reshaped to the requested shape. Input shape:{1,12}",
    ),
    "attribute": ({"nodes": [node("Neg", ["z"], ["y"], slope=3)]}, "Unrecognized attribute: slope for operator Neg"),
}


@pytest.mark.parametrize("name", NO_GOOD)
def test_the_reason_is_whole_and_in_words(name, tmp_path):
    made, reason = NO_GOOD[name]
    path = save(tmp_path / ("a_folder_with_a_long_name_" * 6) / "made.onnx", **made)
    with pytest.raises(Exception) as caught:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        session.run(None, {"z": np.zeros((1, D), np.float32)})
    said = onnx_reason(caught.value)
    assert reason in said
    assert "\n" not in said and "[ONNX" not in said and "::" not in said and str(tmp_path) not in said
    assert len(said) < 260


def test_an_import_says_it_whole(tmp_path):
    made, reason = NO_GOOD["newer file format"]
    path = save(tmp_path / ("a_folder_with_a_long_name_" * 6) / "made.onnx", **made)
    with pytest.raises(Fault) as caught:
        probe(path)
    assert str(caught.value).startswith(f"{path}: not a model that ONNX Runtime can load: {reason}")


def test_a_reason_keeps_its_end_however_long_its_beginning():
    long = " ".join(f"Sentence number {i} says little." for i in range(400)) + " The last one says it."
    assert onnx_reason(RuntimeError(long)).endswith("The last one says it")
    assert len(onnx_reason(RuntimeError("x" * 100000))) < 300
    assert onnx_reason(RuntimeError("")) == "RuntimeError('')"


def test_the_copy_that_an_import_tries_is_not_named(tmp_path, monkeypatch):
    def fails(path, provider):
        raise Fault(f"{path}: the model failed: and {path.with_suffix('.toml')}: too")

    weights = [
        ("m", np.random.default_rng(1).standard_normal((D, 768)).astype(np.float32)),
        ("s", np.array([1, 3, 16, 16])),
    ]
    path = save(
        tmp_path / "mine.onnx",
        [node("MatMul", ["z", "m"], ["a"]), node("Reshape", ["a", "s"], ["y"])],
        weights=weights,
    )
    monkeypatch.setattr(bringing, "create", fails)
    with pytest.raises(Fault) as caught:
        bringing.bring(path, "mine", tmp_path / "models", Told(), "CC0-1.0", "", False)
    assert str(caught.value) == f"{path}: the model failed: and {path.with_suffix('.toml')}: too"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise ValueError('negative dimensions')", r"cannot be tried \(ValueError: negative dimensions\)"),
        ("raise MemoryError", "needs more memory than 8 GB"),
        ("os._exit(1)", "it ended with 1"),
        ("os.kill(os.getpid(), 11)", r"it crashed \(SIGSEGV\)"),
        ("os.kill(os.getpid(), 9)", "where memory runs out"),
        ("sys.stderr.write('what():  std::bad_alloc\\n'); sys.stderr.flush(); os.abort()", "it needs too much memory"),
        ("sys.stderr.write('no such thing\\n'); sys.stderr.flush(); os._exit(3)", "no such thing"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_only_memory_is_called_memory(body, reason, tmp_path, monkeypatch):
    (tmp_path / "strange_work.py").write_text(
        f"import os, sys\nfrom performer.system.sandbox import answer\n"
        f"def work(words):\n    {body}\ndef attend():\n    answer(work, 8 << 30)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(Fault, match=reason):
        ask("strange_work:attend", tmp_path / "x.onnx", {"path": "x.onnx"}, 30.0, "took too long")


def test_a_mapping_network_s_reason_is_whole_too(tmp_path):
    from performer.content.models.card import Card
    from performer.generators.onnx.model_inputs import Mapping

    path = save(tmp_path / "x.mapping.onnx", [node("Neg", ["z"], ["y"])], ir=99)
    card = Card(title="x", kind="gan", latent=D, size=(16, 16), licence="CC0-1.0")
    with pytest.raises(Fault, match="not the mapping of this model: Unsupported model IR version: 99"):
        Mapping(path, card)
