"""Text and TOML as editors of all systems leave it: read, or refused with what to write instead."""

import os

import pytest

from performer.system import text_file, toml_file
from performer.system.errors import Fault
from performer.system.numbers import whole_number
from performer.system.paths import expanded

TEXT = 'title = "Größe"\n[[layer]]\nshader = "aurora"\n'


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le BOM", "utf-16-be BOM"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_that_can_be_told_is_read(tmp_path, encoding, end):
    name, _, mark = encoding.partition(" ")
    data = (("\ufeff" if mark else "") + TEXT.replace("\n", end)).encode(name)
    path = tmp_path / "a.toml"
    path.write_bytes(data)
    assert text_file.read(path) == TEXT
    assert toml_file.load(path)["title"] == "Größe"


def test_a_file_of_old_windows_is_told_to_be_saved_anew(tmp_path):
    path = tmp_path / "a.toml"
    path.write_bytes(('order = 1\ntitle = "Größe"\n').encode("cp1252"))
    with pytest.raises(Fault, match=r"a\.toml: line 2 is not UTF-8 .*Größe.*save the file as UTF-8"):
        toml_file.load(path)


@pytest.mark.parametrize(
    "data", [b"\xff\xfea", b"\xff\xfe\x00\xd8a\x00", "a = 1 # and so on".encode("utf-16-le") + b"\0\xd8"]
)
def test_damaged_wide_text_is_one_line(tmp_path, data):
    with pytest.raises(Fault, match="damaged UTF-16"):
        text_file.decoded(data, "a.toml")


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "folder.toml").mkdir()
    for path, what in ((tmp_path / "pipe.toml", "pipe"), (tmp_path / "folder.toml", "folder"), ("/dev/zero", "device")):
        with pytest.raises(Fault, match=what):
            text_file.read(path)
    with pytest.raises(FileNotFoundError):
        text_file.read(tmp_path / "missing.toml")
    with pytest.raises(Fault, match="too long"):
        text_file.read(tmp_path / ("n" * 300))
    with pytest.raises(Fault, match="no file can have this name"):
        text_file.read("a\0b")
    with open(tmp_path / "huge.toml", "wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(Fault, match="1024 MB"):
        text_file.read(tmp_path / "huge.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("// mine\n[[layer]]", "line 1.*comments begin with #"),
        ("/* mine */", "comments begin with #"),
        ("a = 1 // mine", "line 1.*comments begin with #"),
        ("a = 1\n; mine", "line 2.*comments begin with #"),
        ("a = 1 ; mine", "comments begin with #"),
        ("a = “b”", "line 1.*“.*straight"),
        ('a = "b”', "”.*straight"),
        ("“a” = 1", "straight"),
        ("a = ‘b’", "straight"),
        ('a = ["b", „c“]', "straight"),
        ("a = «b»", "straight"),
        ('video = "C:\\Users\\me\\clip.mp4"', r"line 1.*backslash.*with /"),
        ('video = "C:\\media\\clip.mp4"', r"backslash.*with /.*'single quotes'"),
        ('a = 1\nb = 2\na = "c"', "line 3: a stands twice, at lines 1 and 3"),
        ("[[layer]]\na = 1\n[[layer]]\na = 1\na = 2", "line 5: a stands twice, at lines 4 and 5"),
        ("[walk]\na = 1\n[walk]\nb = 1", r"line 3: \[walk\] stands twice, at lines 1 and 3"),
        ("[layer]\na = 1\n[[layer]]\n", r"lines 1 and 3.*\[\[layer\]\]"),
        ("a\u00a0= 1", "ordinary space"),
        ("a =\u00a01", "ordinary space"),
        ("\u00a0\u00a0a = 1", "ordinary space"),
        ("a\u200b = 1", "ordinary space"),
        ("title: b", "write title = ..., with = instead of :"),
        ("title : b", "write title ="),
        ('a = "b";', "leave out the ;"),
        ('a = "b",', "leave out the ,"),
        ("a = 0,5", "point, not a comma"),
        ("a = .5", r"write 0\.5"),
        ("a = ٣", "digits 0 to 9"),
        ("a = ²", "digits 0 to 9"),
        ("a = True", "write true"),
        ("a = yes", "write true"),
        ("a = Off", "write false"),
        ("a = aurora", 'quotes: "aurora"'),
        ("a =", "value is missing"),
        ('{"layer": []}', "JSON"),
    ],
)
def test_habits_from_elsewhere_are_told_what_to_write(text, said):
    with pytest.raises(toml_file.TOMLDecodeError, match=said) as caught:
        toml_file.loads(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["a = 1979-13-45", "a = 25:61:00", 'a = "b', "[a", "a = [1", '"', "=", "a = '\0'", "[[]]"]
)
def test_what_nothing_is_known_about_is_one_line(text):
    with pytest.raises(toml_file.TOMLDecodeError) as caught:
        toml_file.loads(text)
    assert "\n" not in str(caught.value)


def test_quotes_spaces_and_slashes_inside_quotes_are_what_they_are():
    text = "a = \"“b”\u00a0// c; d: e\"\nb = 'C:\\Users'\n\tc = 1  # “\n"
    assert toml_file.loads(text) == {"a": "“b”\u00a0// c; d: e", "b": "C:\\Users", "c": 1}


def test_numbers_are_those_that_int_takes():
    assert [whole_number(text, 127) for text in ("0", "7", "127")] == [0, 7, 127]
    for text in ("", "128", "-1", "²", "٣", "7 ", "007", "9" * 5000):
        assert whole_number(text, 127) is None


def test_somebody_without_a_folder_is_one_line():
    with pytest.raises(Fault, match=r"~nobody-here/a\.mp4.*whole path"):
        expanded("~nobody-here/a.mp4")
