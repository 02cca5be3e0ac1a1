"""The ways in which ONNX Runtime may run a model here: by provider, precision and graph capture."""

from __future__ import annotations

import ctypes
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import onnxruntime as ort

from performer.system import folders
from performer.system.errors import Fault
from performer.system.extras import pip_line

# for loading and trying all ways of a model; TensorRT builds for minutes
SOON_S = 20.0
PATIENT_S = 240.0
RECORD = "session.record_ep_graph_assignment_info"


@dataclass(frozen=True)
class Way:
    """One way to run a model.

    Attributes
    ----------
    name : str
        As people read it.
    provider : str
        ONNX Runtime's name.
    options : Mapping[str, str]
        That provider's.
    half : bool
        Turn the model into 16-bit floats first.
    graph : bool
        Its launches are recorded once and replayed as one.
    device : str
        Where its inputs and outputs lie: "cpu" or "cuda".
    """

    name: str
    provider: str = "CPUExecutionProvider"
    options: Mapping[str, str] = field(default_factory=dict)
    half: bool = False
    graph: bool = False
    device: str = "cpu"


CPU = Way("CPU")


def engine_folder() -> Path:
    """Where what TensorRT has built is kept."""
    return folders.cache() / "engines"


def _cuda(name: str, half: bool = False, graph: bool = False, **more: str) -> Way:
    # Shapes never change, so the best convolution is worth looking for, once.
    options = {"device_id": "0", "cudnn_conv_algo_search": "EXHAUSTIVE", **more}
    return Way(
        name, "CUDAExecutionProvider", options | ({"enable_cuda_graph": "1"} if graph else {}), half, graph, "cuda"
    )


CUDA = (
    _cuda("CUDA"),
    _cuda("CUDA graph", graph=True),
    _cuda("CUDA half graph", half=True, graph=True),
    _cuda("CUDA half NHWC graph", half=True, graph=True, prefer_nhwc="1"),
    _cuda("CUDA half", half=True),
)


def _tensorrt() -> tuple[Way, ...]:
    options = {"device_id": "0", "trt_engine_cache_enable": "True", "trt_engine_cache_path": str(engine_folder())}
    return (
        Way("TensorRT", "TensorrtExecutionProvider", options, device="cuda"),
        Way("TensorRT half", "TensorrtExecutionProvider", options | {"trt_fp16_enable": "True"}, device="cuda"),
    )


def _openvino(threads: int) -> tuple[Way, ...]:
    name = "OpenVINOExecutionProvider"
    return (
        Way("OpenVINO CPU", name, {"device_type": "CPU", "num_of_threads": str(threads)}),
        Way("OpenVINO GPU", name, {"device_type": "GPU"}),
    )


@dataclass(frozen=True)
class Group:
    """Ways of which the fastest right one is chosen; `budget_s`, seconds for trying them."""

    ways: tuple[Way, ...]
    budget_s: float = SOON_S


def steady(group: Group) -> Group:
    """The group's first way alone, and nothing in it chosen by a stopwatch: the same pictures every time."""
    first = group.ways[0]
    fixed = {name: "DEFAULT" if name == "cudnn_conv_algo_search" else value for name, value in first.options.items()}
    return replace(group, ways=(replace(first, options=fixed),))


def groups(provider: str, threads: int) -> list[Group]:
    """What to try, the best first; a later group only where nothing of those before works.

    Parameters
    ----------
    provider : str
        "auto", "cpu", "cuda", "tensorrt" or "openvino".

    Raises
    ------
    Fault
        Where what was asked for by name is not here, and says what is missing.
    """
    here = ort.get_available_providers()
    nvidia = driver()
    if provider == "cpu":
        return [Group((CPU,))]
    if provider == "auto":
        return [*([Group(CUDA)] if nvidia and CUDA[0].provider in here else []), Group((CPU,))]
    if provider == "cuda":
        if not nvidia or CUDA[0].provider not in here:
            raise Fault("no CUDA here: no NVIDIA driver, or onnxruntime-gpu is missing; `performer doctor` tells more")
        return [Group(CUDA)]
    if provider == "tensorrt":
        if not nvidia or "TensorrtExecutionProvider" not in here:
            raise Fault(
                "no TensorRT here: it needs an NVIDIA driver, onnxruntime-gpu, and NVIDIA's TensorRT libraries "
                f"({pip_line('tensorrt')})"
            )
        engine_folder().mkdir(parents=True, exist_ok=True)
        return [Group(_tensorrt(), PATIENT_S)]
    if provider == "openvino":
        if "OpenVINOExecutionProvider" not in here:
            raise Fault(
                "no OpenVINO here: it comes with another build of ONNX Runtime, which takes this one's place: "
                f"{pip_line('onnxruntime-gpu', 'onnxruntime', command='uninstall')}, "
                f"then {pip_line('onnxruntime-openvino')}"
            )
        return [Group(_openvino(threads))]
    raise Fault(f"no provider {provider!r}; there are auto, cpu, cuda, tensorrt and openvino")


def opened(model: str | bytes, way: Way, options: ort.SessionOptions) -> ort.InferenceSession:
    """A session that runs a model in that way. Raises Fault where another took its place, and ONNX Runtime's errors."""
    if way.device == "cuda":
        ort.preload_dlls()
    providers: list[object] = [way.provider if not way.options else (way.provider, dict(way.options))]
    if way.provider.startswith("Tensorrt"):
        providers.append(("CUDAExecutionProvider", {"device_id": "0"}))
    if way.provider != CPU.provider:
        providers.append(CPU.provider)
    session = ort.InferenceSession(model, options, providers=providers)
    if session.get_providers()[0] != way.provider:
        raise Fault("ONNX Runtime fell back to the CPU")
    return session


def placed(session: ort.InferenceSession) -> Counter[str]:
    """Provider -> how many operators it was given, where the options asked for RECORD; empty where it is not told."""
    try:
        parts = session.get_provider_graph_assignment_info()
    except Exception:  # an older ONNX Runtime, or one that was not asked
        return Counter()
    counted: Counter[str] = Counter()
    for part in parts:
        counted[part.ep_name] += len(part.get_nodes())
    return counted


def driver() -> bool:
    """Whether the NVIDIA driver's library can be loaded."""
    try:
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return False
    return True
