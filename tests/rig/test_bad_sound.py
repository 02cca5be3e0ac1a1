"""Sound that no sound card should make, in any shape: a clear error or silence, never a crash."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from performer.audio.analyzer import Analyzer
from performer.audio.downmix import Mixer
from performer.cli.main import main
from performer.io.sound import sound_file
from performer.rig import offline
from performer.rig.listener import Listener
from performer.system.errors import Fault
from performer.system.mailboxes import Ring
from performer.types.features import HEAD, TIMES

RATES = (4000, 8000, 11025, 44100, 48000, 96000, 192000)
LENGTHS = (1, 2, 3, 63, 255, 256, 257, 4095, 4097, 20000)
CHANNELS = (1, 2, 3, 8, 40)
FINITE = np.array([name not in TIMES[1:] for name in HEAD])
few = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def sounds(draw: st.DrawFn) -> np.ndarray:
    """(n, channels) float32: zeros, ones, noise of any size, or noise with poison in it."""
    shape = (draw(st.sampled_from(LENGTHS)), draw(st.sampled_from(CHANNELS)))
    kind = draw(st.sampled_from(["zeros", "ones", "noise", "huge", "tiny", "poisoned", "all nan", "all infinite"]))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    noise = rng.standard_normal(shape)
    if kind == "poisoned":
        bad = np.array([np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-42])
        at = rng.random(shape) < draw(st.sampled_from([0.001, 0.1, 0.9]))
        noise[at] = rng.choice(bad, int(at.sum()))
    made = {
        "zeros": np.zeros(shape),
        "ones": np.ones(shape),
        "noise": noise,
        "huge": noise * 1e30,
        "tiny": noise * 1e-40,
        "poisoned": noise,
        "all nan": np.full(shape, np.nan),
        "all infinite": np.full(shape, np.inf),
    }[kind]
    return made.astype(np.float32)


@few
@given(sounds(), st.sampled_from(RATES), st.sampled_from([1, 7, 256, 4096]))
def test_mixed_and_analysed_it_is_finite_and_in_range(sound: np.ndarray, rate: int, block: int) -> None:
    mixer, analyzer = Mixer(rate, sound.shape[1]), Analyzer(rate)
    mixed = np.concatenate([mixer.mix(sound[at : at + block]) for at in range(0, len(sound), block)])
    assert mixed.shape == (len(sound),) and np.all(np.isfinite(mixed))
    hop = analyzer.hop
    for at in range(0, len(mixed) - hop + 1, hop):
        row = analyzer.process(mixed[at : at + hop].astype(np.float32))
        assert np.all(np.isfinite(row[: len(HEAD)][FINITE]))
        assert np.all((row[len(HEAD) :] >= 0.0) & (row[len(HEAD) :] <= 1.0))


@pytest.mark.parametrize("poison", [[3e38, -3e38], [np.nan, 0.0], [np.inf, -np.inf], [1e20, -1e20], [9e9, 0.0]])
@pytest.mark.parametrize("channels", [1, 2, 40])
def test_a_block_of_nonsense_is_over_when_it_is_over(poison: list[float], channels: int) -> None:
    mixer, rng = Mixer(48000, channels), np.random.default_rng(3)
    tone = (0.1 * np.sin(np.arange(48000) * 0.05))[:, None] * np.ones((1, channels)) + 0.01 * rng.random((48000, 1))
    tone = tone.astype(np.float32)
    bad = np.resize(np.array(poison, np.float32), (256, channels))
    if channels > 1:
        bad[:, 1:] = np.roll(bad[:, 1:], 1, axis=0)
    assert np.all(np.isfinite(mixer.mix(bad)))
    mixed = np.concatenate([mixer.mix(tone[at : at + 256]) for at in range(0, 48000, 256)])
    assert np.corrcoef(mixed[24000:], tone[24000 : len(mixed), 0])[0, 1] > 0.99
    assert mixed[24000:].std() == pytest.approx(tone[24000:, 0].std(), rel=0.1)


class _Source:
    delay_s = 0.0

    def __init__(self, rate: int, channels: int) -> None:
        self.rate, self.ring = rate, Ring(4 * rate, channels)

    def pump(self) -> None:
        """Sound is written by hand."""


@few
@given(sounds(), st.sampled_from(RATES))
def test_heard_live_it_is_finite_and_the_clock_stands_by(sound: np.ndarray, rate: int) -> None:
    source = _Source(rate, sound.shape[1])
    listener = Listener(source)
    for at in range(0, len(sound), 256):
        block = sound[at : at + 256]
        source.ring.write(block, (source.ring.written + len(block)) / rate)
        listener.hear()
    heard = listener.features()
    hop = Analyzer(rate).hop
    assert heard.t == pytest.approx(len(sound) // hop * hop / rate, abs=1e-6)
    assert np.all(np.isfinite(list(heard.values.values()))) and np.all(np.isfinite(heard.bands))
    scope = listener.sound(1 / 60)
    assert np.all(np.isfinite(scope.waveform)) and np.all(np.isfinite(scope.spectrum))


@few
@given(sounds(), st.sampled_from(RATES), st.sampled_from(["FLOAT", "PCM_16", "DOUBLE"]))
def test_as_a_file_it_is_analysed_to_plain_numbers(sound: np.ndarray, rate: int, subtype: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bad.wav"
        with np.errstate(invalid="ignore"):
            soundfile.write(path, sound, rate, subtype=subtype)
        info = sound_file.probe(path)
        assert (info.rate, info.channels) == (rate, sound.shape[1])
        assert sound_file.duration_s(path) == len(sound) / rate
        heard = offline.analyse(str(path))
        json.dumps(heard, allow_nan=False)
        assert heard["audio_s"] >= len(sound) / rate - 1e-9


@few
@given(
    st.binary(max_size=600),
    st.sampled_from([b"", b"RIFF", b"RIFF\x24\x00\x00\x00WAVEfmt ", b"fLaC", b"OggS", b"ID3"]),
    st.sampled_from(["wav", "flac", "ogg", "mp3"]),
)
def test_bytes_that_are_no_sound_are_a_fault_that_names_the_file(data: bytes, head: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"noise.{suffix}"
        path.write_bytes(head + data)
        try:
            json.dumps(offline.analyse(str(path)), allow_nan=False)
        except Fault as fault:
            assert "noise." in str(fault) and "\n" not in str(fault)


@pytest.mark.parametrize("rate", [1, 50, 1000, 3999])
def test_a_rate_that_holds_no_drum_is_one_line(tmp_path, capsys, rate: int) -> None:
    path = tmp_path / "slow.wav"
    soundfile.write(path, np.zeros((5000, 2)), rate, subtype="FLOAT")
    with pytest.raises(SystemExit) as stop:
        main(["analyse", str(path)])
    assert stop.value.code == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("performer: ")]
    assert len(lines) == 1 and "slow.wav" in lines[0] and str(rate) in lines[0]


@pytest.mark.parametrize(
    ("frames", "rate", "channels"), [(1, 44100, 1), (1, 192000, 40), (3000, 384000, 2), (192000, 192000, 40)]
)
def test_a_file_of_any_shape_through_the_command(tmp_path, frames: int, rate: int, channels: int) -> None:
    path, out = tmp_path / "odd.wav", tmp_path / "odd.json"
    sound = np.zeros((frames, channels), np.float32)
    sound[:, -1] = np.sin(np.arange(frames) * 0.05)
    soundfile.write(path, sound, rate, subtype="FLOAT")
    with pytest.raises(SystemExit) as stop:
        main(["analyse", str(path), "--json", str(out)])
    assert stop.value.code == 0
    assert json.loads(out.read_text())["audio_s"] >= frames / rate - 1e-9
