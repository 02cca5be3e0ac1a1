"""What a night brings: any gain, clipping, hum, half a cable, a telephone's sound, a whole day. Music stays heard."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest
import soxr

from performer.audio.analyzer import Analyzer
from performer.audio.downmix import Mixer
from performer.io.sound import demo_song
from performer.rig.listener import Listener
from performer.system.mailboxes import Ring
from performer.types.features import HEAD, TIMES

RATE = 44100
AT = {name: HEAD.index(name) for name in HEAD}
SETTLED_S = 3.0
DAY_S = 24 * 3600.0
STEADY = ("level", "bass", "mid", "treble", "energy", "kick")


def hear(sound: np.ndarray, rate: int = RATE, analyzer: Analyzer | None = None) -> tuple[Analyzer, np.ndarray]:
    """Stream sound (n,) or (n, channels) through mixer and analyser; returns the analyser and all rows."""
    analyzer = analyzer or Analyzer(rate)
    frames = np.asarray(sound, np.float32).reshape(len(sound), -1)
    mixer, hop = Mixer(rate, frames.shape[1]), analyzer.hop
    rows = [analyzer.process(mixer.mix(frames[at : at + hop])).copy() for at in range(0, len(frames) - hop + 1, hop)]
    return analyzer, np.array(rows)


def gain(decibels: float) -> np.float32:
    return np.float32(10.0 ** (decibels / 20.0))


def named(rows: np.ndarray, analyzer: Analyzer, name: str) -> np.ndarray:
    return rows[:, len(HEAD) + analyzer.names.index(name)]


def late(rows: np.ndarray, after_s: float = SETTLED_S) -> np.ndarray:
    return rows[rows[:, 0] > after_s]


def onsets(rows: np.ndarray) -> float:
    return float(rows[-1, AT["onsets"]] - rows[0, AT["onsets"]])


def same_as(rows: np.ndarray, usual: np.ndarray, analyzer: Analyzer, within: float, count: float) -> None:
    """The features' means and the number of onsets are those of the usual sound."""
    for name in STEADY:
        mine, theirs = named(rows, analyzer, name), named(usual, analyzer, name)
        assert mine.mean() == pytest.approx(theirs.mean(), abs=within), name
        assert np.quantile(mine, 0.95) == pytest.approx(np.quantile(theirs, 0.95), abs=2 * within), name
    assert onsets(rows) == pytest.approx(onsets(usual), rel=count)


def right(rows: np.ndarray, bpm: float = demo_song.BPM) -> None:
    assert np.all(np.isfinite(np.delete(rows, [AT[name] for name in TIMES[1:]], axis=1)))
    octaves = np.log2(rows[-1, AT["bpm"]] / bpm)
    assert abs(octaves - round(octaves)) < 0.03, rows[-1, AT["bpm"]]


@pytest.fixture(scope="module")
def groove() -> np.ndarray:
    """Twelve seconds of the demo's first drop, (n,) float32, peak 1."""
    first = int(12 * 4 * 60 / demo_song.BPM * RATE)
    sound = demo_song.render(RATE)[first : first + 12 * RATE].mean(1)
    return (sound / np.abs(sound).max()).astype(np.float32)


@pytest.fixture(scope="module")
def usual(groove: np.ndarray) -> np.ndarray:
    return late(hear(groove * gain(-12.0))[1])


@pytest.mark.parametrize("decibels", [0.0, -10.0, -20.0, -30.0, -40.0, -50.0])
def test_any_gain_is_made_up_for_within_three_seconds(groove: np.ndarray, usual: np.ndarray, decibels: float) -> None:
    analyzer, rows = hear(groove * gain(decibels))
    right(rows)
    same_as(late(rows), usual, analyzer, 0.05, 0.1)


@pytest.mark.parametrize(("before", "after"), [(0.0, -50.0), (-50.0, 0.0), (-10.0, -30.0), (-5.0, -35.0)])
def test_a_fader_that_moves_is_made_up_for_within_three_seconds(
    groove: np.ndarray, usual: np.ndarray, before: float, after: float
) -> None:
    half = 6 * RATE
    sound = np.concatenate([groove[:half] * gain(before), groove * gain(after)])
    analyzer, rows = hear(sound)
    right(rows)
    same_as(late(rows, 6.0 + SETTLED_S), usual, analyzer, 0.08, 0.15)


def test_clipped_sound_still_has_its_beats(groove: np.ndarray, usual: np.ndarray) -> None:
    _, rows = hear(np.clip(groove * gain(18.0), -1.0, 1.0))
    right(rows)
    assert onsets(late(rows)) == pytest.approx(onsets(usual), rel=0.3)


@pytest.mark.parametrize("offset", [0.05, -0.4, 1.0])
def test_a_dc_offset_changes_nothing(groove: np.ndarray, usual: np.ndarray, offset: float) -> None:
    analyzer, rows = hear(groove * gain(-12.0) + np.float32(offset))
    right(rows)
    same_as(late(rows), usual, analyzer, 0.05, 0.1)


@pytest.mark.parametrize("hertz", [50.0, 60.0])
def test_mains_hum_under_the_music_hides_no_beat(groove: np.ndarray, usual: np.ndarray, hertz: float) -> None:
    t = np.arange(len(groove)) / RATE
    hum = sum(np.sin(2 * np.pi * hertz * n * t + n) / n for n in (1, 2, 3, 5))
    _, rows = hear(groove * gain(-12.0) + hum * gain(-36.0))
    right(rows)
    assert onsets(late(rows)) == pytest.approx(onsets(usual), rel=0.15)


def test_hum_alone_is_no_music() -> None:
    t = np.arange(10 * RATE) / RATE
    hum = sum(np.sin(2 * np.pi * 50.0 * n * t + n) / n for n in (1, 2, 3, 5))
    _, rows = hear(hum * gain(-20.0))
    settled = late(rows, 2.0)
    assert onsets(settled) <= 2
    assert settled[-1, AT["confidence"]] < 0.3


@pytest.mark.parametrize("wiring", ["left only", "right only", "antiphase", "unequal", "one of eight", "noisy right"])
def test_half_a_cable_or_a_turned_one_sounds_as_a_whole(groove: np.ndarray, usual: np.ndarray, wiring: str) -> None:
    sound = groove * gain(-12.0)
    silent = np.zeros_like(sound)
    noise = (1e-4 * np.random.default_rng(1).standard_normal(len(sound))).astype(np.float32)
    channels = {
        "left only": [sound, silent],
        "right only": [silent, sound],
        "antiphase": [sound, -sound],
        "unequal": [sound, 0.3 * sound],
        "one of eight": [silent] * 5 + [sound] + [silent] * 2,
        "noisy right": [sound, noise],
    }[wiring]
    analyzer, rows = hear(np.stack(channels, 1))
    right(rows)
    same_as(late(rows), usual, analyzer, 0.05, 0.1)


def test_a_cable_pulled_on_one_side_while_playing(groove: np.ndarray, usual: np.ndarray) -> None:
    stereo = np.stack([groove, groove], 1) * gain(-12.0)
    cut = stereo.copy()
    cut[:, 1] = 0.0
    analyzer, rows = hear(np.concatenate([stereo[: 5 * RATE], cut]))
    right(rows)
    same_as(late(rows, 5.0 + SETTLED_S), usual, analyzer, 0.08, 0.15)


def test_a_telephone_is_enough_for_tempo_and_onsets(groove: np.ndarray, usual: np.ndarray) -> None:
    from scipy.signal import butter, sosfilt

    narrow = sosfilt(butter(4, (300.0, 3400.0), "bandpass", fs=RATE, output="sos"), groove)
    sound = soxr.resample(narrow.astype(np.float32), RATE, 8000)
    sound /= np.abs(sound).max()
    law = np.sign(sound) * np.round(127.0 * np.log1p(255.0 * np.abs(sound)) / np.log(256.0)) / 127.0  # G.711
    coarse = np.sign(law) * np.expm1(np.abs(law) * np.log(256.0)) / 255.0
    analyzer, rows = hear(coarse, 8000)
    right(rows)
    assert 0.6 * onsets(usual) < onsets(late(rows)) < 2.0 * onsets(usual)
    assert named(late(rows), analyzer, "level").max() > 0.7


def test_a_day_later_it_hears_as_in_the_first_minute(groove: np.ndarray) -> None:
    """Counters stand as after 24 hours: what is heard is the same, and t is exactly the count of samples."""
    sound = groove * gain(-12.0)
    fresh, young = hear(sound)
    aged = Analyzer(RATE)
    _, first = hear(sound, analyzer=aged)
    aged._hops = day = round(DAY_S * RATE / aged.hop)
    aged._tracker.clock.beat += 4.0 * round(DAY_S * demo_song.BPM / 60.0 / 4.0)
    aged._tracker.bar += round(DAY_S * demo_song.BPM / 240.0)
    _, old = hear(sound, analyzer=aged)
    right(old)
    np.testing.assert_array_equal(old[:, 0], (day + 1 + np.arange(len(old))) * aged.hop / RATE)
    again = late(old, old[0, 0] + SETTLED_S)
    for name in STEADY:
        assert named(again, aged, name).mean() == pytest.approx(named(late(young), fresh, name).mean(), abs=0.05)
    assert onsets(again) == pytest.approx(onsets(late(young)), rel=0.1)
    beats = np.diff(again[:, AT["beat"]])
    assert np.all(beats >= 0.0) and np.all(np.diff(again[:, AT["bar"]]) >= 0.0)
    assert beats.sum() == pytest.approx((again[-1, 0] - again[0, 0]) * first[-1, AT["bpm"]] / 60.0, rel=0.03)
    assert (again[-1, AT["onset_t"]] - again[-1, 0]) > -1.0


def test_hours_of_sound_take_no_memory(groove: np.ndarray) -> None:
    analyzer = Analyzer(RATE)
    mixer, hop = Mixer(RATE, 2), analyzer.hop
    stereo = np.stack([groove, groove], 1)[: 4 * RATE]
    blocks = [stereo[at : at + hop] for at in range(0, len(stereo) - hop + 1, hop)]

    def play(times: int) -> None:
        for _ in range(times):
            for block in blocks:
                analyzer.process(mixer.mix(block))

    play(2)
    tracemalloc.start()
    try:
        play(2)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        play(6)
        gc.collect()
        # numpy keeps a few freed blocks of every small size: some ten kilobytes, and no more with time.
        assert tracemalloc.get_traced_memory()[0] - before < 50_000
    finally:
        tracemalloc.stop()


class _Card:
    """A sound card whose crystal is off, at any hour: sample n sounds at n / true rate."""

    delay_s = 0.0

    def __init__(self, error: float, hours: float) -> None:
        self.rate, self.true_rate = RATE, RATE * (1.0 + error)
        self.ring = Ring(RATE, 1)
        self.ring._written = self.ring._begun = round(hours * 3600 * self.true_rate)
        self._rng = np.random.default_rng(2)

    def pump(self) -> None:
        """Sound comes by `bring`."""

    def bring(self, block: np.ndarray) -> None:
        late_s = 0.002 * float(self._rng.random())  # a callback is never early
        self.ring.write(block, (self.ring.written + len(block)) / self.true_rate + late_s)


@pytest.mark.parametrize("error", [0.0, 1e-4, -1e-4])
def test_a_card_whose_clock_is_off_drifts_nowhere(error: float) -> None:
    card = _Card(error, 24.0)
    listener = Listener(card)
    block = np.zeros((256, 1), np.float32)
    off = []
    for _ in range(int(40.0 * RATE / 256)):
        card.bring(block)
        listener.hear()
        off.append(listener.features().t - card.ring.written / card.true_rate)
    assert np.abs(off).max() < 0.006
    assert abs(np.mean(off[-1000:]) - np.mean(off[1000:2000])) < 5e-4, "it does not walk away"
