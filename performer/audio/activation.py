"""The learned activation: a small recurrent network that tells, frame by frame, how likely a beat or downbeat is.

Trained by `performer/train/beats.py` on songs made up by chance. Without its file the tracker listens to onset
strengths alone.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from performer.errors import Fault
from performer.frame import BANDS

DELAY_S = 0.020  # the network names a beat this long after it sounded
FILE = Path(__file__).with_name("beats.onnx")


class BeatNet:
    """Runs the network one frame at a time; its memory is kept between calls.

    file  ONNX with inputs `bands` (1, BANDS) and `state` (1, N), outputs `odds` (1, 2) and `next` (1, N)
    Raises Fault when the file is no such network.
    """

    def __init__(self, file: Path = FILE) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
            shapes = {each.name: each.shape for each in self._session.get_inputs()}
            size = int(shapes["state"][1])
            if shapes["bands"] != [1, BANDS]:
                raise ValueError(f"`bands` is {shapes['bands']}")
        except Exception as error:
            raise Fault(f"{file}: not a beat network ({type(error).__name__}: {error})") from None
        self._bands = np.zeros((1, BANDS), np.float32)
        self._state = np.zeros((1, size), np.float32)
        self._feed = {"bands": self._bands, "state": self._state}

    def __call__(self, frame: np.ndarray) -> tuple[float, float]:
        """One frame (BANDS,) of band levels as `tracker` makes it -> probabilities of a beat and of a downbeat, 0..1."""
        self._bands[0] = frame
        odds, self._feed["state"] = self._session.run(("odds", "next"), self._feed)
        beat, downbeat = odds[0].tolist()
        return beat, downbeat
