"""The learned activation: a small convolutional network that tells, frame by frame, how likely a beat or downbeat is.

Trained by `performer/lab/train/beat_net_main.py` on songs made up by chance. Without its file the tracker
listens to onset strengths alone.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from performer.system.errors import Fault
from performer.types.features import BANDS

DELAY_S = 0.020  # the network names a beat this long after it sounded
FILE = Path(__file__).with_name("beats.onnx")


log = logging.getLogger(__name__)


class BeatNet:
    """Runs the network one frame at a time and keeps what its layers heard before.

    Parameters
    ----------
    file : Path, optional
        ONNX with inputs `bands` (1, CONTEXT * BANDS), the newest frames, and `old` and `older` (layers, channels), what
        each layer heard 2**layer and twice as many frames ago; outputs `odds` (1, 2) and `heard` (layers, channels),
        what each layer hears now.

    Raises
    ------
    Fault
        When the file is no such network.
    """

    def __init__(self, file: Path = FILE) -> None:
        import onnxruntime  # here, so that a show without sound, and a test of the pure rooms, need not load it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
            shapes = {each.name: each.shape for each in self._session.get_inputs()}
            layers, channels = shapes["old"]
            self._context = shapes["bands"][1] // BANDS
            if shapes["bands"] != [1, self._context * BANDS] or shapes["older"] != shapes["old"]:
                raise ValueError(f"its inputs are {shapes}")
        except Exception as error:
            raise Fault(f"{file}: not a beat network ({type(error).__name__}: {error})") from None
        self._bands = np.zeros((1, self._context * BANDS), np.float32)
        # Each layer has a ring of its own, of two dilations; all lie one after the other in one array.
        self._dilation = 2 ** np.arange(layers)
        self._length = 2 * self._dilation
        self._start = np.concatenate([[0], np.cumsum(self._length)[:-1]])
        self._past = np.zeros((int(self._length.sum()), channels), np.float32)
        self._count = 0
        self._feed = {"bands": self._bands}

    def __call__(self, frame: np.ndarray) -> tuple[float, float]:
        """Band levels (BANDS,) as `tracker` makes them -> probabilities of a beat and of a downbeat, 0..1."""
        self._bands[0, :-BANDS] = self._bands[0, BANDS:]
        self._bands[0, -BANDS:] = frame
        here = self._start + self._count % self._length
        self._feed["older"] = self._past[here]
        self._feed["old"] = self._past[self._start + (self._count + self._dilation) % self._length]
        odds, self._past[here] = self._session.run(("odds", "heard"), self._feed)
        self._count += 1
        beat, downbeat = odds[0].tolist()
        return beat, downbeat


def beat_net() -> BeatNet | None:
    """The network that comes with the program, its memory empty; None, with a line in the log, where it can't run."""
    try:
        return BeatNet()
    except (Fault, ImportError) as error:
        log.warning("beat tracking runs without its neural network: %s", error)
        return None
