"""TOML that others wrote: whatever is wrong with it is one kind of error, and says what to write."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Any

from performer.system import text_file
from performer.system.errors import Fault

__all__ = ["TOMLDecodeError", "load", "loads"]

CURLY = "“”„‟«»‘’‚‛‹›＂＇"
#: Non-breaking, wide and invisible ones, which editors and web pages put in.
ODD_SPACES = "\u00a0\u1680\u200b\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))
PLACE = re.compile(r" ?\(at (?:line (\d+), column (\d+)|end of document)\)$")
COMMENTS = ("//", "/*", "*/", "--", "<!--", "REM ", "rem ")
YAML = re.compile(r"""^\s*["']?([\w.-]+)["']?\s*:(?:\s|$)""")
WORD = re.compile(r"[A-Za-z_][\w ./-]*")
COMMA = re.compile(r"=\s*-?\d+,\d+\s*(?:#.*)?$")
TRUTHS = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}


def load(path: Path, most: int = text_file.MOST_BYTES) -> dict[str, Any]:
    """The tables of a TOML file of at most so many bytes. Raises FileNotFoundError, and Fault for all else."""
    try:
        return loads(text_file.read(path, most))
    except TOMLDecodeError as error:
        raise Fault(f"{path}: not valid TOML: {error}") from None


def loads(text: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises TOMLDecodeError, in one line, also for what tomllib itself stumbles over."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise TOMLDecodeError("nested too deeply") from None
    except TOMLDecodeError as error:
        raise TOMLDecodeError(_explained(text, str(error))) from None
    except ValueError as error:
        if "digits" in str(error):
            raise TOMLDecodeError("a whole number of thousands of digits") from None
        raise TOMLDecodeError(f"a date or number that there is not ({error})") from None


def _explained(text: str, said: str) -> str:
    """What is wrong, where, and what to write instead; tomllib's own words where that is not plain."""
    lines = text.split("\n")
    found = PLACE.search(said)
    if found is None:
        return said
    number, column = (int(found[1]), int(found[2])) if found[1] else (len(lines), len(lines[-1]) + 1)
    what = said[: found.start()]
    if found[1] is None:  # it ends too early: the last line with anything on it is to blame
        number = next((n for n in range(len(lines), 0, -1) if lines[n - 1].strip()), 1)
        column = len(lines[number - 1]) + 1
    line = lines[number - 1]
    if any(word in what for word in ("Cannot overwrite", "Cannot declare", "Cannot mutate")):
        return _twice(lines, number) or said
    mend = _mend(line, column, what)
    if mend:
        return f"line {number}, column {column}: {mend}"
    return said


def _mend(line: str, column: int, what: str) -> str:
    """What to write instead, where a habit from elsewhere is seen at that place of a line; else ""."""
    rest = line[column - 1 :]
    here = rest[:1]
    bare = line.strip()
    value = line.partition("=")[2].strip()
    open_string = "Illegal character" in what or "Unterminated" in what or "Expected '\"'" in what
    if (here and here in CURLY) or (open_string and any(c in CURLY for c in line)):
        return f'{next(c for c in (here + line) if c in CURLY)} is no quotation mark here; write straight ones: "..."'
    if here and here in ODD_SPACES:
        return "a space that is no ordinary one (a non-breaking space, say); write an ordinary space"
    if bare.startswith(COMMENTS) or bare.startswith(";") or (rest.startswith(COMMENTS) and "=" in line[: column - 1]):
        return "comments begin with #"
    if "'\\'" in what or "hex value" in what or "Unicode scalar" in what or "escape" in what.lower():
        return "a backslash in double quotes begins another sign; write paths with /, with \\\\, or in 'single quotes'"
    if here == "," and COMMA.search(line):
        return "numbers have a point, not a comma: 0.5"
    if here == ";" and rest[1:].strip():
        return "comments begin with #"
    if here and here in ",;" and "after a statement" in what:
        return f"nothing stands after a value: leave out the {here}"
    yaml = YAML.match(line)
    if yaml and "=" not in line[: yaml.end()]:
        return f"write {yaml[1]} = ..., with = instead of :"
    if bare.startswith(("{", "}")):
        return "this is not TOML but JSON, it seems; write a key = value on each line"
    if "Invalid value" in what:
        return _mend_value(value, rest)
    return ""


def _mend_value(value: str, rest: str) -> str:
    if not rest.strip():
        return "a value is missing after ="
    if any(c.isdigit() and not c.isascii() for c in rest):
        return "numbers are written with the digits 0 to 9"
    word = WORD.match(rest.strip())
    if word:
        truth = TRUTHS.get(word[0].strip().lower())
        if truth is not None:
            return f"write {truth}, in small letters"
        return f'words stand in quotes: "{word[0].strip()}"'
    if rest.startswith("."):
        return f"write 0{rest.split()[0]}"
    return ""


def _twice(lines: list[str], number: int) -> str:
    """Of which key or table there are two, and where; "" where that does not show."""
    head = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
    pair = re.compile(r"""^\s*["']?([\w.-]+)["']?\s*=""")
    at = number - 1
    table = head.match(lines[at])
    if table:
        for other in range(at):
            same = head.match(lines[other])
            if same and same[2] == table[2]:
                if same[1] != table[1]:
                    return (
                        f"lines {other + 1} and {number}: [{table[2]}] and [[{table[2]}]]; write [[{table[2]}]] "
                        "each time where there may be several, or else keep one"
                    )
                return f"line {number}: [{table[2]}] stands twice, at lines {other + 1} and {number}; keep one"
        return f"line {number}: [{table[2]}] stands twice; keep one"
    while at >= 0 and not pair.match(lines[at]):
        at -= 1
    key = pair.match(lines[at]) if at >= 0 else None
    if key is None:
        return ""
    for other in range(at - 1, -1, -1):
        if head.match(lines[other]):
            break
        same = pair.match(lines[other])
        if same and same[1] == key[1]:
            return f"line {at + 1}: {key[1]} stands twice, at lines {other + 1} and {at + 1}; keep one"
    return f"line {at + 1}: {key[1]} stands twice; keep one"
