"""TOML from strangers: whatever is wrong with it is one line, and stops nothing else."""

import pytest

from performer.audio.features import FEATURES
from performer.content.library import FACTORY, Library
from performer.content.models.card import load
from performer.rig.calibration.settings_file import load as settings
from performer.system import toml_file
from performer.system.errors import Fault

BAD = {"digits": "order = 1" + "0" * 5000, "deep": "tags = " + "[" * 5000 + "]" * 5000, "text": "no toml"}


@pytest.mark.parametrize("bad", BAD)
def test_what_is_wrong_is_one_kind_of_error(bad, tmp_path):
    with pytest.raises(toml_file.TOMLDecodeError):
        toml_file.loads(BAD[bad])
    path = tmp_path / "a.toml"
    path.write_text(BAD[bad])
    for read in (load, settings):
        with pytest.raises(Fault, match=r"a\.toml: ") as caught:
            read(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_preset_in_the_folder_costs_only_itself(bad, tmp_path):
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "a.toml").write_text(BAD[bad])
    (tmp_path / "presets" / "b.toml").write_text('title = "B"\n[[layer]]\ncamera = "0"\n')
    library = Library(audio=tuple(FEATURES)).load([FACTORY, tmp_path])
    assert {"b", "tidal"} <= set(library.presets) and "a" not in library.presets
    assert "not valid TOML" in str(library.faults[tmp_path / "presets" / "a.toml"])
