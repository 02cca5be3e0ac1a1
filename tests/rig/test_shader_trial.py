"""Shaders tried aside, in a real process with a real driver: good ones pass, broken and endless ones are refused."""

import json
import os

import pytest

from performer.content import shaders as isf
from performer.rig import shader_trial
from performer.rig.shader_trial import ShaderTrial

GOOD = "/*{}*/\nvoid main() { gl_FragColor = vec4(isf_FragNormCoord, TIME, 1.0); }\n"
BROKEN = "/*{}*/\nvoid main() {\n  gl_FragColor = nothing;\n}\n"
#: Several seconds of work for any processor, seconds for most graphics cards.
ENDLESS = """/*{}*/
void main() {
  float a = TIME;
  for (int i = 0; i < 60000; i++) for (int j = 0; j < 60000; j++) a = fract(sin(a + float(i * j)) * 43758.5453);
  gl_FragColor = vec4(a);
}
"""


def write(folder, name, text):
    path = folder / f"{name}.fs"
    path.write_text(text)
    return isf.load(path)


@pytest.fixture
def trial(tmp_path):
    one = ShaderTrial("driver", tmp_path / "cache" / "preflight.json")
    yield one
    one.stop()


def test_good_ones_pass_and_broken_ones_are_refused_with_their_line(tmp_path, trial):
    good, broken = write(tmp_path, "good", GOOD), write(tmp_path, "broken", BROKEN)
    refused = trial.examine([good, broken])
    assert set(refused) == {"broken"}
    assert "broken.fs:3: " in str(refused["broken"]) and "nothing" in str(refused["broken"])
    trial.stop()
    assert trial.examine([good]) == {} and trial._process is None, "known by its content: nothing is started"
    kept = json.loads((tmp_path / "cache" / "preflight.json").read_text())
    assert list(kept.values()) == [""], "what is broken is soon mended: only the other verdict is kept"
    again = ShaderTrial("driver", tmp_path / "cache" / "preflight.json")
    assert again.examine([good]) == {} and again._process is None
    other = ShaderTrial("another driver", tmp_path / "cache" / "preflight.json")
    assert other._key(good) != again._key(good)


def test_an_endless_one_is_given_up_and_the_next_is_tried_afresh(tmp_path, trial, monkeypatch):
    monkeypatch.setattr(shader_trial, "LIMIT_S", 0.4)
    endless = write(tmp_path, "endless", ENDLESS)
    trial.start()
    process = trial._process.pid
    refused = trial.examine([endless, write(tmp_path, "good", GOOD.replace("TIME", "1.0"))])
    assert set(refused) == {"endless"} and "takes over" in str(refused["endless"])
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    monkeypatch.setattr(trial, "_try", lambda spec: pytest.fail("tried again"))
    assert "endless" in trial.examine([endless])  # from the cache


def test_a_crash_of_the_driver_is_survived(tmp_path, trial):
    trial.start()
    trial._process.kill()
    trial._process.wait()
    good = write(tmp_path, "good", GOOD)
    assert trial.examine([good]) == {}, "the process is started again"


def test_a_damaged_cache_is_left_aside(tmp_path):
    cache = tmp_path / "preflight.json"
    for text in ("", "{", "[]", '{"a": 1}'):
        cache.write_text(text)
        assert isinstance(ShaderTrial("driver", cache)._verdicts, dict)
