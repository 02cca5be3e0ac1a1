"""A session with memory of its own: inputs written in place, outputs lent out, nothing allocated for a picture."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort

from performer.generators.loan import Loans

TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


class Bound:
    """Runs a model from bound inputs to bound outputs (ONNX Runtime's IO binding), on the processor.

    feed    input name -> array; what is in it when `run` is called goes in, so write in place
    output  name of the output that is wanted; shape, of it
    Raises whatever ONNX Runtime does, where the output has another shape too.
    """

    def __init__(self, session: ort.InferenceSession, feed: dict[str, np.ndarray], output: str,
                 shape: tuple[int, ...]) -> None:
        self._session, self._feed, self._output, self._shape = session, feed, output, shape
        kind = next(entry.type for entry in session.get_outputs() if entry.name == output)
        self._type = TYPES.get(kind, np.float32)
        self._loans = Loans(shape, self._type)
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
