"""Letters, long texts and odd characters of a text layer: all are set, none is cut off, what is missing is named."""

import logging
import unicodedata

import numpy as np
import pytest
from PIL import Image as Picture
from PIL import ImageDraw

from performer.generators.media import text as typesetting
from performer.generators.media.fonts import INTER, Font, choose
from performer.generators.media.text import MOST_LETTERS, Words, broken, spread
from performer.types.frame import Play

WHITE = (1.0, 1.0, 1.0, 1.0)
LATIN = [chr(code) for code in range(0xA1, 0x180) if code != 0xAD]


@pytest.fixture(autouse=True)
def _nothing_told_yet():
    typesetting._warn.cache_clear()


def alpha_of(words, size=(160, 90), share=1.0, font=""):
    return Words(words, font).picture(Play(0.0, (share, WHITE)), size)[..., 3]


@pytest.mark.parametrize(
    "letters",
    ["".join(LATIN), "αβγδεζηθικλμνξοπρστυφχψω ΆΈΉΊΌΎΏάέήίόύώϊϋΐΰ", "абвгдеёжзийклмнопрстуфхцчшщъыьэюя ЄІЇҐўјљњћђџ"],
    ids=["latin", "greek", "cyrillic"],
)
def test_the_letters_of_europe_are_written(letters, caplog):
    words = Words(letters)
    assert not caplog.records
    # No two letters look alike, but those that shall: a font that lacks some draws the same box for all of them.
    shown = {}
    for letter in dict.fromkeys(unicodedata.normalize("NFC", letters.replace(" ", "").replace("ŉ", ""))):
        page = Picture.new("L", (80, 80))
        ImageDraw.Draw(page).text((20, 10), letter, 255, words._font.at(40))
        assert np.asarray(page).any()
        shown.setdefault(page.tobytes(), []).append(letter)
    assert all(len(alike) == 1 for alike in shown.values() if "Đ" not in alike and "Ð" not in alike)


def test_one_font_sets_a_whole_text_and_plain_english_looks_as_ever():
    assert choose("LISTEN CLOSER, it's 9/8!")[0].path == ""
    assert choose("LISTEN\nGröße")[0].path == str(INTER)
    assert choose("x", str(INTER))[0].path == str(INTER)


def test_letters_that_no_font_has_are_named_once(caplog):
    for _ in range(2):  # its preset is played again
        Words("東京\n京 Größe")
    assert [r.message for r in caplog.records] == [
        "text: the font has no 東 京; name a .ttf or .otf file that has them: play = { font = ... }"
    ]
    caplog.clear()
    Words("".join(chr(0x4E00 + at) for at in range(20)), str(INTER))
    (told,) = caplog.records
    assert told.levelno == logging.WARNING and "and 8 more; choose another font" in told.message
    caplog.clear()
    Words("a\u05bc")
    assert "U+05BC" in caplog.records[0].message


def test_a_font_lacks_what_it_draws_as_a_box():
    assert Font("").lacks("aé 東\u200d\n") == ["é", "東"]
    assert Font(str(INTER)).lacks("aé 東") == ["東"]


@pytest.mark.parametrize("size", [(160, 90), (90, 160), (320, 80)], ids=["16:9", "9:16", "4:1"])
@pytest.mark.parametrize(
    "text",
    [
        "lorem ipsum dolor sit amet " * 60,
        "x" * 2000,
        "Ü" * 300 + " and " + "W" * 400,
        "https://example.org/" + "ab/" * 40,
    ],
    ids=["page", "word", "two words", "address"],
)
def test_long_texts_and_long_words_stay_within_the_picture(text, size):
    alpha = alpha_of(text, size)
    rows, columns = np.nonzero(alpha)
    assert rows.min() > 0 and columns.min() > 0 and rows.max() < size[1] - 1 and columns.max() < size[0] - 1
    assert max(np.ptp(rows) / size[1], np.ptp(columns) / size[0]) > 0.6


def test_nothing_of_a_long_word_is_lost():
    word = "".join(chr(ord("a") + at % 26) for at in range(2000))
    lines, _ = broken(word, (300.0, 160.0), 7.0, lambda text: 55.0 * len(text))
    assert "".join(lines) == word and max(map(len, lines)) < 120
    marked = "e\u0323\u0302" * 300
    lines, _ = broken(marked, (300.0, 160.0), 7.0, lambda text: 20.0 * len(text))
    assert "".join(lines) == marked and len(lines) > 5
    assert all(line[0] == "e" for line in lines)  # no mark without its letter


def test_words_that_can_be_read_are_not_broken():
    word = "Donaudampfschifffahrtsgesellschaftskapitän"
    assert broken(word, (300.0, 160.0), 7.0, lambda text: 55.0 * len(text))[0] == [word]


def test_the_work_grows_as_the_text_does():
    """A page is measured word by word, each once."""

    def asked(count):
        calls = []
        words = [f"word{at}" for at in range(count)]
        lines, _ = broken(" ".join(words), (300.0, 160.0), 0.0, lambda text: calls.append(text) or 55.0 * len(text))
        assert " ".join(lines).split() == words
        return sum(map(len, calls))

    assert asked(3000) < 12 * asked(300)


def test_lines_hold_all_words_in_order():
    parts = [str(at) * (1 + at % 7) for at in range(100)]
    for count in (1, 2, 7, 50, 99, 100):
        lines = spread(parts, count)
        assert len(lines) <= count and " ".join(lines).split() == parts


@pytest.mark.parametrize(
    "text",
    [
        "\x00\x01\x1b[31mred\x7f",
        "a\tb\rc\x0bd\x85e\u2028f",
        "\ufeffHI",
        "so\u00adft",
        "שלום עולם",
        "مرحبا بالعالم",
        "\u202eright to left\u202c",
        "e\u0301\u0302\u0303\u0304 Z\u0351\u036b\u0343",
        "👨\u200d👩\u200d👧 😀",
        "नमस्ते",
        "\ue000\U0010ffff",
    ],
)
def test_odd_characters_are_set(text):
    assert alpha_of(text).any()
    assert alpha_of(text, share=0.02).shape == (90, 160)


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\x00", "\n\n"])
def test_no_letters_are_no_picture(text):
    assert not alpha_of(text).any()


def test_control_characters_leave_no_trace():
    assert np.array_equal(alpha_of("\ufeffone\x00two\x1b"), alpha_of("one two"))
    assert np.array_equal(alpha_of("cafe\u0301"), alpha_of("café"))


def test_a_book_is_cut_with_a_word_about_it(caplog):
    Words("y" * (MOST_LETTERS + 1))
    assert f"{MOST_LETTERS + 1} letters at once; the first {MOST_LETTERS} are shown" in caplog.text


def test_a_colour_that_moves_sets_no_letters_anew(monkeypatch):
    words = Words("one")
    first = words.picture(Play(0.0, (0.8, WHITE)), (96, 54))
    monkeypatch.setattr(words, "_set", None)
    second = words.picture(Play(0.0, (0.8, (1.0, 0.0, 0.0, 1.0))), (96, 54))
    assert np.array_equal(first[..., 3], second[..., 3]) and second[0, 0].tolist() == [255, 0, 0, 0]
