"""The analyser on good and bad sound: ranges, silence, rates, gain, and the shape of its rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from parts.hearing import hear, kicks, values_of

from performer.audio.analyzer import Analyzer
from performer.audio.downmix import Mixer
from performer.audio.spectrum import hop_size
from performer.audio.waveform import SAMPLES, Scope
from performer.types.features import BANDS, HEAD, TIMES, Features

RATES = (8_000, 16_000, 22_050, 44_100, 48_000, 88_200, 96_000, 192_000)
AT = {name: HEAD.index(name) for name in HEAD}


@pytest.mark.parametrize("rate", RATES)
def test_hop_is_short_and_rows_have_the_agreed_shape(rate: int) -> None:
    analyzer = Analyzer(rate)
    assert analyzer.hop / rate <= 0.006
    assert analyzer.hop == hop_size(rate)
    row = analyzer.process(np.zeros(analyzer.hop, np.float32))
    assert row.shape == (len(HEAD) + len(analyzer.names) + BANDS,)
    heard = Features.from_row(row, analyzer.names)
    assert heard.t == pytest.approx(analyzer.hop / rate)
    assert heard.onset_t == float("-inf")
    assert set(heard.values) == set(analyzer.names)


def test_the_usual_hops() -> None:
    assert [hop_size(rate) for rate in (22_050, 44_100, 48_000, 88_200, 96_000, 192_000)] == [
        128,
        256,
        256,
        512,
        512,
        512,
    ]


def test_a_wrong_number_of_samples_is_refused() -> None:
    analyzer = Analyzer(48_000)
    for samples in (np.zeros(0, np.float32), np.zeros(1, np.float32), np.zeros((256, 2), np.float32)):
        with pytest.raises(ValueError, match="256"):
            analyzer.process(samples)


def test_the_same_buffer_every_call() -> None:
    analyzer = Analyzer(48_000)
    quiet = np.zeros(analyzer.hop, np.float32)
    assert analyzer.process(quiet) is analyzer.process(quiet)


#: Places, which stay where they were, and what silence is by itself.
PLACES = {"hue", "key", "minor", "pitch", "trend", "silence"}


@pytest.mark.parametrize("rate", (8_000, 44_100, 192_000))
@pytest.mark.parametrize("offset", (0.0, 0.2, -1.0))
def test_silence_with_any_offset_is_zero(rate: int, offset: float) -> None:
    analyzer, rows = hear(np.full(2 * rate, offset), rate)
    quick = [len(HEAD) + i for i, name in enumerate(analyzer.names) if name not in PLACES | {"energy", "key_fit"}]
    settled = rows[rows[:, 0] > 1.8]  # an offset begins with a step, and that is heard
    assert np.all(settled[:, quick] == 0.0) and np.all(settled[:, -BANDS:] == 0.0)
    assert np.all(values_of(settled, analyzer, "energy") < (0.03 if offset else 1e-9))
    assert np.all(rows[:, AT["bpm"]] == 0.0)
    assert np.all(rows[:, AT["confidence"]] == 0.0)
    assert np.all(rows[:, AT["beat"]] == 0.0)


def test_silence_after_music_decays_to_exact_zeros_and_the_count_stands() -> None:
    rate = 44_100
    sound = np.concatenate([kicks(rate, 120.0, 6.0), np.zeros(30 * rate, np.float32)])
    analyzer, rows = hear(sound, rate)
    assert rows[int(5.5 * rate / 256), AT["confidence"]] > 0.3
    strengths = [len(HEAD) + i for i, name in enumerate(analyzer.names) if name not in PLACES]
    assert np.all(rows[-1, strengths] == 0.0) and values_of(rows, analyzer, "silence")[-1] > 0.99
    assert rows[-1, AT["confidence"]] < 0.03
    after = rows[rows[:, 0] > 6.3]
    assert after[-1, AT["onsets"]] == after[0, AT["onsets"]]


any_sample = st.one_of(st.floats(-1.0, 1.0, width=32), st.sampled_from([np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-40]))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(RATES), st.lists(arrays(np.float32, 16, elements=any_sample), min_size=1, max_size=20))
def test_no_input_makes_nan_or_leaves_the_range(rate: int, pieces: list[np.ndarray]) -> None:
    analyzer = Analyzer(rate)
    beat = bar = 0.0
    for piece in pieces:
        row = analyzer.process(np.resize(piece, analyzer.hop))
        assert np.all(np.isfinite(np.delete(row, [AT[name] for name in TIMES[1:]])))
        assert np.all((row[len(HEAD) :] >= 0.0) & (row[len(HEAD) :] <= 1.0))
        assert 0.0 <= row[AT["confidence"]] <= 1.0
        assert row[AT["beat"]] >= beat and row[AT["bar"]] >= bar
        beat, bar = row[AT["beat"]], row[AT["bar"]]
    quiet = np.zeros(analyzer.hop, np.float32)
    for _ in range(int(4.0 * rate / analyzer.hop)):
        row = analyzer.process(quiet)
    assert np.all(
        row[len(HEAD) : -BANDS][[name not in PLACES | {"energy", "key_fit"} for name in analyzer.names]] < 0.01
    )


def test_the_input_is_not_touched() -> None:
    analyzer = Analyzer(48_000)
    samples = np.full(analyzer.hop, np.nan, np.float32)
    analyzer.process(samples)
    assert np.all(np.isnan(samples))


@pytest.mark.parametrize("sound", ("clipped", "hum", "tiny noise"))
def test_hostile_but_real_sound(sound: str) -> None:
    rate = 44_100
    t = np.arange(6 * rate) / rate
    noise = np.random.default_rng(1).standard_normal(len(t))
    made = {
        "clipped": np.clip(40.0 * kicks(rate, 120.0, 6.0), -1.0, 1.0),
        "hum": 0.1 * np.sin(2 * np.pi * 50 * t),
        "tiny noise": 1e-5 * noise,
    }[sound]
    analyzer, rows = hear(made, rate)
    assert np.all(np.isfinite(np.delete(rows, [AT[name] for name in TIMES[1:]], axis=1)))
    late = rows[rows[:, 0] > 1.0]
    if sound == "hum":
        assert late[-1, AT["onsets"]] - late[0, AT["onsets"]] <= 2
        assert np.ptp(values_of(late, analyzer, "bass")) < 0.1
    if sound == "tiny noise":
        strengths = [len(HEAD) + i for i, name in enumerate(analyzer.names) if name not in PLACES]
        assert np.all(late[:, strengths] == 0.0)
    if sound == "clipped":
        assert late[-1, AT["onsets"]] - late[0, AT["onsets"]] >= 9


def test_each_range_of_hertz_moves_its_own_feature() -> None:
    rate = 48_000
    t = np.arange(2 * rate) / rate
    for name, hertz in (("bass", 60.0), ("lowmid", 250.0), ("mid", 1_000.0), ("treble", 7_000.0)):
        analyzer, rows = hear(0.3 * np.sin(2 * np.pi * hertz * t), rate)
        last = {other: values_of(rows, analyzer, other)[-1] for other in ("bass", "lowmid", "mid", "treble")}
        assert last[name] > 0.8
        assert max(value for other, value in last.items() if other != name) < 0.5


def test_brightness_and_noisiness() -> None:
    rate = 48_000
    t = np.arange(rate) / rate
    noise = 0.2 * np.random.default_rng(2).standard_normal(rate)
    ends = {}
    for name, sound in (("low", np.sin(2 * np.pi * 80 * t)), ("high", np.sin(2 * np.pi * 8_000 * t)), ("noise", noise)):
        analyzer, rows = hear(0.3 * sound, rate)
        ends[name] = (values_of(rows, analyzer, "centroid")[-1], values_of(rows, analyzer, "flatness")[-1])
    assert ends["low"][0] < 0.25 and ends["high"][0] > 0.8
    assert ends["noise"][1] > 0.7 > 0.3 > ends["low"][1]


@pytest.mark.parametrize("decibels", (0.0, -20.0, -50.0))
def test_music_at_any_gain_uses_the_range(decibels: float) -> None:
    rate = 44_100
    analyzer, rows = hear(kicks(rate, 120.0, 6.0, 0.9 * 10 ** (decibels / 20)), rate)
    late = rows[rows[:, 0] > 3.0]
    for name in ("level", "bass"):
        heard = values_of(late, analyzer, name)
        assert heard.max() > 0.8 and heard.min() < 0.4
    assert late[:, -BANDS:].max() > 0.7


def test_a_fader_pulled_down_far_is_made_up_for_within_three_seconds() -> None:
    rate = 44_100
    sound = np.concatenate([kicks(rate, 120.0, 5.0, 0.9), kicks(rate, 120.0, 6.0, 0.9 * 10 ** (-45 / 20))])
    analyzer, rows = hear(sound, rate)
    assert values_of(rows[rows[:, 0] > 8.0], analyzer, "bass").max() > 0.8


def test_a_quiet_passage_stays_visibly_lower() -> None:
    rate = 44_100
    sound = np.concatenate([kicks(rate, 120.0, 5.0, 0.9), kicks(rate, 120.0, 4.0, 0.9 * 10 ** (-14 / 20))])
    analyzer, rows = hear(sound, rate)
    level = values_of(rows, analyzer, "level")
    assert level[(rows[:, 0] > 5.5)].max() < 0.6 * level[(rows[:, 0] > 3) & (rows[:, 0] < 5)].max()


def test_a_kick_makes_bass_jump() -> None:
    rate = 44_100
    t = np.arange(8 * rate) / rate
    analyzer, rows = hear(kicks(rate, 120.0, 8.0) + 0.05 * np.sin(2 * np.pi * 110 * t), rate)
    late = rows[(rows[:, 0] > 4.0)]
    bass = values_of(late, analyzer, "bass")
    phase = late[:, 0] % 0.5
    before, after = bass[phase > 0.45].mean(), bass[(phase > 0.03) & (phase < 0.1)].max()
    assert before < 0.4 and after > 0.9


def test_features_do_not_depend_on_the_rate() -> None:
    made = {}
    for rate in (22_050, 44_100, 48_000, 96_000):
        analyzer, rows = hear(kicks(rate, 125.0, 8.0), rate)
        late = rows[rows[:, 0] > 3.0]
        made[rate] = [values_of(late, analyzer, name).mean() for name in ("level", "bass", "lowmid", "energy", "kick")]
        made[rate] += [late[-1, AT["kicks"]], late[-1, AT["onsets"]]]
        assert late[-1, AT["bpm"]] == pytest.approx(125.0, rel=0.01)
    for rate in (22_050, 48_000, 96_000):
        assert made[rate][:5] == pytest.approx(made[44_100][:5], abs=0.06)
        assert made[rate][5:] == pytest.approx(made[44_100][5:], abs=1)


def test_drums_are_told_apart() -> None:
    rate = 44_100
    rng = np.random.default_rng(3)
    t = np.arange(int(0.2 * rate)) / rate
    noise = rng.standard_normal(len(t))
    high = np.diff(np.diff(noise, prepend=0.0), prepend=0.0)
    drums = {
        "kicks": np.sin(2 * np.pi * (48 * t + 3.0 * (1 - np.exp(-t * 40)))) * np.exp(-t * 15),
        "snares": (0.5 * np.sin(2 * np.pi * 190 * t) + 0.5 * noise) * np.exp(-t * 22),
        "hats": 0.15 * high * np.exp(-t * 60),
    }
    for played, hit in drums.items():
        sound = np.zeros(8 * rate, np.float32)
        for beat in np.arange(0.25, 7.5, 0.5):
            at = int(beat * rate)
            sound[at : at + len(hit)] += 0.5 * hit
        _, rows = hear(sound, rate)
        counts = {name: rows[-1, AT[name]] for name in drums}
        assert counts[played] == pytest.approx(15, abs=1), counts
        assert max(count for name, count in counts.items() if name != played) <= 3, counts


def test_onsets_are_announced_early_and_dated_well() -> None:
    rate = 44_100
    _, rows = hear(kicks(rate, 97.0, 8.0), rate)
    changed = np.flatnonzero(np.diff(rows[:, AT["onsets"]]) > 0) + 1
    truth = np.arange(0.0, 8.0, 60.0 / 97.0)
    assert len(changed) == pytest.approx(len(truth), abs=1)
    delays, errors = [], []
    for row in rows[changed]:
        nearest = truth[np.abs(truth - row[0]).argmin()]
        delays.append(row[0] - nearest)
        errors.append(row[AT["onset_t"]] - nearest)
    assert np.median(delays) <= 0.012
    assert np.abs(np.median(errors)) <= 0.008


def test_mixing_keeps_what_sounds() -> None:
    rate, n = 48_000, 256
    rng = np.random.default_rng(4)
    tone = rng.standard_normal(n * 40).astype(np.float32)
    silent = np.zeros_like(tone)
    cases = {
        "mono": [tone],
        "stereo": [tone, tone],
        "left only": [tone, silent],
        "opposite": [tone, -tone],
        "one of forty": [tone] + [silent] * 39,
    }
    for name, channels in cases.items():
        frames = np.stack(channels, 1)
        mixer = Mixer(rate, frames.shape[1])
        mixed = np.concatenate([mixer.mix(frames[at : at + n]) for at in range(0, len(frames), n)])
        assert mixed.shape == tone.shape
        assert np.abs(np.corrcoef(mixed, tone)[0, 1]) > 0.99, name
        assert np.std(mixed) == pytest.approx(np.std(tone), rel=0.05), name


@pytest.mark.parametrize("channels", (1, 2, 40))
def test_mixing_bad_input(channels: int) -> None:
    mixer = Mixer(48_000, channels)
    assert mixer.mix(np.zeros((0, channels), np.float32)).shape == (0,)
    for bad in (np.nan, np.inf, -np.inf, 3e38):
        frames = np.full((1, channels), bad, np.float32)
        assert np.all(np.isfinite(mixer.mix(frames)))
    assert np.all(np.isfinite(mixer.mix(np.ones((128, channels), np.float32))))


def test_the_scope_stands_still_and_shows_the_tone() -> None:
    rate = 48_000
    scope = Scope()
    starts = []
    for offset in range(0, 4_000, 333):
        t = (np.arange(SAMPLES) + offset) / rate
        sound = scope.look(0.1 * np.sin(2 * np.pi * 440.0 * t).astype(np.float32), 1 / 60)
        starts.append(sound.waveform[:64])
        assert sound.waveform.shape == (1024,) and sound.spectrum.shape == (512,)
        assert sound.waveform.dtype == sound.spectrum.dtype == np.float32
        assert abs(int(sound.spectrum.argmax()) - 440.0 / (rate / 1024)) <= 1.0
    assert np.ptp(np.array(starts), axis=0).max() < 0.15
    assert np.max(np.abs(sound.waveform)) > 0.95


def test_the_scope_in_silence_and_nonsense() -> None:
    scope = Scope()
    silent = scope.look(np.zeros(SAMPLES, np.float32), 1 / 60)
    assert not silent.waveform.any() and not silent.spectrum.any()
    mad = scope.look(np.full(SAMPLES, np.nan, np.float32), 1 / 60)
    assert not mad.waveform.any()
    loud = scope.look(np.where(np.arange(SAMPLES) % 2, np.inf, 1e9).astype(np.float32), 1 / 60)
    assert np.all(np.isfinite(loud.waveform)) and np.all(np.abs(loud.waveform) <= 1.0)


def test_kick_snare_and_hat_each_have_a_time_and_a_count() -> None:
    rate = 44_100
    _, rows = hear(kicks(rate, 120.0, 6.0), rate)
    counts, times = rows[:, AT["kicks"]], rows[:, AT["kick_t"]]
    assert counts[-1] >= 10 and times[0] == -np.inf
    for number in range(2, int(counts[-1])):
        first = int(np.searchsorted(counts, number))
        struck = round(times[first] / 0.5) * 0.5
        assert abs(times[first] - struck) < 0.03 and times[first] <= rows[first, 0]
    assert rows[-1, AT["hats"]] == 0.0 or np.isfinite(rows[-1, AT["hat_t"]])


def test_the_same_sound_gives_the_same_rows_wherever_memory_lies():
    """BLAS adds in an order that may depend on where an array begins."""
    sound = kicks(44_100, 124.0, 5.0)
    _, rows = hear(sound, 44_100)
    kept = []
    for size in (16, 336, 4_112, 65_552, 16):
        kept.append(np.ones(size, np.uint8))  # what is made next lies elsewhere
        assert np.array_equal(hear(sound, 44_100)[1], rows, equal_nan=True)
