"""A session with memory of its own: inputs at fixed places, outputs lent out, nothing allocated for a picture."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable

import numpy as np
import onnxruntime as ort

from performer.generators.onnx.buffer_pool import MOST, BufferPool
from performer.system.errors import Fault
from performer.types.image import GpuImage

#: What ONNX Runtime calls the types of tensors -> what numpy does.
TYPES: dict[str, type] = {
    "tensor(float16)": np.float16,
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(bool)": np.bool_,
    **{
        f"tensor({kind.__name__})": kind
        for kind in (np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64)
    },
}


def _type(session: ort.InferenceSession, output: str) -> type:
    kind = next(entry.type for entry in session.get_outputs() if entry.name == output)
    try:
        return TYPES[kind]
    except KeyError:
        raise Fault(f"its output {output!r} is {kind}, which is not an image") from None


class Bound:
    """Runs a model from bound inputs to bound outputs (ONNX Runtime's IO binding), on the processor.

    Raises whatever ONNX Runtime does, where the output has another shape too.

    Parameters
    ----------
    feed : dict[str, ndarray]
        Input name -> array; what is in it when `run` is called goes in, so write in place.
    output : str
        Name of the output that is wanted.
    shape : tuple[int, ...]
        Shape of it.
    """

    def __init__(
        self, session: ort.InferenceSession, feed: dict[str, np.ndarray], output: str, shape: tuple[int, ...]
    ) -> None:
        self._session = session
        self._feed = feed
        self._output = output
        self._shape = shape
        self._type = _type(session, output)
        self._loans = BufferPool(shape, self._type)
        self._bindings: dict[int, ort.IOBinding] = {}  # number of a piece of memory -> what writes to it

    def run(self) -> np.ndarray:
        """The output, of the given shape; it stays as it is for as long as anybody keeps it."""
        number, out = self._loans.take()
        binding = self._bindings.get(number)
        if binding is None:
            binding = self._session.io_binding()
            for name, array in self._feed.items():
                binding.bind_cpu_input(name, array)
            binding.bind_output(self._output, "cpu", 0, self._type, self._shape, out.ctypes.data)
            if number >= 0:
                self._bindings[number] = binding
        self._session.run_with_iobinding(binding)
        return out


class _Place:
    """Memory on the card that an output is written to, and who has it."""

    __slots__ = ("binding", "holder", "options", "value")

    def __init__(self, value: ort.OrtValue, binding: ort.IOBinding, options: ort.RunOptions | None) -> None:
        self.value = value
        self.binding = binding
        self.options = options
        self.holder: Callable[[], GpuImage | None] = lambda: None


class BoundOnCard:
    """The same on a card: what comes out stays there.

    `run` returns when the picture is done, so whoever reads it waits for nothing.

    Parameters
    ----------
    device : str, optional
        "cuda"; "cpu" does the same work in the processor's memory.
    graphs : bool, optional
        Record what is launched once for each place of an output, and replay it; addresses never change.
    constant : Iterable[str], optional
        Names of inputs that are sent once, and again only by `send`.
    dressed : callable
        (address, size, dtype, fetch) -> the picture that is handed out; fetch copies the raw output.
    """

    def __init__(
        self,
        session: ort.InferenceSession,
        feed: dict[str, np.ndarray],
        output: str,
        shape: tuple[int, ...],
        dressed: Callable[[int, int, str, Callable[[], np.ndarray]], GpuImage],
        device: str = "cuda",
        graphs: bool = False,
        constant: Iterable[str] = (),
    ) -> None:
        self._session = session
        self._feed = feed
        self._output = output
        self._shape = shape
        self._dressed = dressed
        self._device = device
        self._graphs = graphs
        self._type = _type(session, output)
        self._inputs = {
            name: ort.OrtValue.ortvalue_from_shape_and_type(array.shape, array.dtype, device, 0)
            for name, array in feed.items()
        }
        self.send(feed)
        self._turning = [name for name in feed if name not in set(constant)]
        self._places: list[_Place] = []

    def send(self, names: Iterable[str]) -> None:
        """Bring what is in those inputs to the card."""
        for name in names:
            self._inputs[name].update_inplace(self._feed[name])

    def run(self) -> GpuImage:
        """The output, on the card; it stays as it is for as long as anybody keeps it."""
        place = next((place for place in self._places if place.holder() is None), None)
        if place is None:
            place = self._place()
        self.send(self._turning)
        self._session.run_with_iobinding(place.binding, place.options)
        place.binding.synchronize_outputs()
        value = place.value
        picture = self._dressed(value.data_ptr(), value.tensor_size_in_bytes(), np.dtype(self._type).name, value.numpy)
        place.holder = weakref.ref(picture)
        return picture

    def _place(self) -> _Place:
        value = ort.OrtValue.ortvalue_from_shape_and_type(self._shape, self._type, self._device, 0)
        binding = self._session.io_binding()
        for name, given in self._inputs.items():
            binding.bind_ortvalue_input(name, given)
        binding.bind_ortvalue_output(self._output, value)
        options = None
        if self._graphs:
            options = ort.RunOptions()  # a graph of its own for each place; -1: none, for one too many
            options.add_run_config_entry("gpu_graph_id", str(len(self._places) + 1 if len(self._places) < MOST else -1))
        place = _Place(value, binding, options)
        if len(self._places) < MOST:
            self._places.append(place)
        return place
