"""A follower: a small recurrent network that hears the music and moves knobs as a performer did, improvising.

Each tick it says how every knob may move next, as a mixture of Gaussians; one move is drawn and given back to it with
the next tick (Graves, "Generating sequences with recurrent neural networks", 2013).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from performer.audio.control_features import NAMES, TICK_S
from performer.system.errors import Fault

MOST_KNOBS = 64


class FollowerNet:
    """The network, one tick a call; its memory is kept by the caller.

    Parameters
    ----------
    file : Path
        ONNX with inputs `heard` (1, len(NAMES)), `moved` (1, K), where the knobs are, 0..1, and `memory` (1, H);
        outputs `odds`, `means` and `spreads` (1, M, K): for each knob the log weights of the M moves that it thinks of,
        and how far each goes in this tick; and `remembered` (1, H). Its properties name `knobs`, `start`, where they
        begin, and `gist` and `tick_s`, what it was trained to hear.

    Raises
    ------
    Fault
        When the file is no such network.
    """

    def __init__(self, file: Path) -> None:
        import onnxruntime  # here, so that a show without a follower, and a test of the pure rooms, need not load it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
            facts = self._session.get_modelmeta().custom_metadata_map
            given = {each.name: list(each.shape) for each in self._session.get_inputs()}
            made = {each.name: list(each.shape) for each in self._session.get_outputs()}
            self.knobs = tuple(facts["knobs"].split(","))
            self.start = np.array([float(place) for place in facts["start"].split(",")], np.float32)
            count, (_, self.memory), (_, moves, _) = len(self.knobs), given["memory"], made["odds"]
            wanted = {"heard": [1, len(NAMES)], "moved": [1, count], "memory": [1, self.memory]}
            told = [1, moves, count]
            promised = {"odds": told, "means": told, "spreads": told, "remembered": [1, self.memory]}
            if not 1 <= count <= MOST_KNOBS or len(self.start) != count or given != wanted or made != promised:
                raise ValueError(f"its inputs are {given}, its outputs {made}, its knobs {', '.join(self.knobs)}")
            if not (np.isfinite(self.start).all() and self.start.min() >= 0.0 and self.start.max() <= 1.0):
                raise ValueError("its knobs begin outside 0..1")
        except Exception as error:
            what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            raise Fault(f"{file}: not a follower ({what})") from None
        if facts.get("gist") != ",".join(NAMES) or facts.get("tick_s") != str(TICK_S):
            raise Fault(f"{file}: was trained to hear other features; train it again")

    def __call__(self, heard: np.ndarray, moved: np.ndarray, memory: np.ndarray) -> list[np.ndarray]:
        """(1, len(NAMES)), (1, K) and (1, H) float32 -> odds, means, spreads, remembered."""
        answer: list[np.ndarray] = self._session.run(
            ("odds", "means", "spreads", "remembered"), {"heard": heard, "moved": moved, "memory": memory}
        )
        return answer


class AutoPerformer:
    """A follower at play: where its knobs are, what it remembers, and its luck.

    Parameters
    ----------
    seed : int
        Seed of all that it draws.
    start : ndarray, optional
        Where its knobs begin, (K,) 0..1; where the network says when not given.

    Attributes
    ----------
    memory
        (1, H), the network's.
    """

    def __init__(self, net: FollowerNet, seed: int, start: np.ndarray | None = None) -> None:
        self.net = net
        self._rng = np.random.default_rng(seed % (1 << 63))
        self._moved = np.array(net.start if start is None else start, np.float32).reshape(1, -1)
        self.memory = np.zeros((1, net.memory), np.float32)
        self._heard = np.zeros((1, len(NAMES)), np.float32)
        self._each = np.arange(len(net.knobs))

    @property
    def knobs(self) -> np.ndarray:
        """(K,) float32, 0..1: where they are."""
        knobs: np.ndarray = self._moved[0]
        return knobs

    def tick(self, heard: np.ndarray, wildness: float) -> np.ndarray:
        """TICK_S further.

        Parameters
        ----------
        heard : ndarray
            (len(NAMES),) of `Gist.look`.
        wildness : float
            How far what is drawn may be from what is expected: 1 plays as it was taught, less calmer, more wilder; 0
            always does what is expected.

        Returns
        -------
        ndarray
            `knobs`.

        Raises
        ------
        ValueError
            Where the network says what is no number.
        """
        self._heard[0] = heard
        odds, means, spreads, memory = self.net(self._heard, self._moved, self.memory)
        chance, luck = self._rng.random(len(self.net.knobs)), self._rng.standard_normal(len(self.net.knobs))
        shares = np.exp(odds[0] - odds[0].max(0)).cumsum(0)
        shares /= shares[-1]
        chosen = (shares < chance).sum(0)
        expected = means[0, -1] + (shares[:-1] * (means[0, :-1] - means[0, 1:])).sum(0)  # summed by parts
        drawn = means[0, chosen, self._each] + spreads[0, chosen, self._each] * luck
        moved = self._moved + expected + wildness * (drawn - expected)
        if not (np.isfinite(moved).all() and np.isfinite(memory).all()):
            raise ValueError("not a number")
        self._moved = np.clip(moved, 0.0, 1.0).astype(np.float32)
        self.memory = memory
        return self.knobs
