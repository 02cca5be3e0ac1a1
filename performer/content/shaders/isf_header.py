"""The JSON in a shader's first comment, read as other hosts do: comments and trailing commas may stay."""

from __future__ import annotations

import json
import re
from typing import Any

from performer.system.errors import Fault

_LONGEST = 1_000_000  # characters of a header
_LARGEST_FILE = 4_000_000
_BLOCK = re.compile(r"/\*+!?\s*(?=\{)")
_PIECE = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|,(?=(?:\s|//[^\n]*\n)*[\]}])', re.S)
_NUMBER = re.compile(r'"(?:\\.|[^"\\])*"|(?<![\w.])\+(?=[\d.])|(?<![\d.])\.(?=\d)|(?<=\d)\.(?![\d])', re.S)
_LOOSE = re.compile(r'"(?:\\.|[^"\\])*"|(?<![\w.])0+(?=\d)|(?<=[\d.])[fF]\b|\b(?:True|False|None|TRUE|FALSE)\b', re.S)
_WORDS = {"True": "true", "False": "false", "TRUE": "true", "FALSE": "false", "None": "null"}
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')


def split(text: str, where: str) -> tuple[dict[str, Any], str, int, list[str]]:
    """The header as a dict with its keys in capitals, the GLSL after it, the line the GLSL starts on, and warnings.

    Raises Fault with the file's line.
    """
    if len(text) > _LARGEST_FILE:
        raise Fault(f"{where}: {len(text) / 1e6:.0f} MB is no shader; expected at most {_LARGEST_FILE // 1_000_000} MB")
    if "\0" in text[:4096]:
        raise Fault(f"{where}: binary data, not a shader; expected text that starts with /*{{ ... }}*/")
    opening = _BLOCK.search(text)
    if opening is None:
        raise Fault(f'{where}:1: no ISF header; expected a first comment /*{{ "INPUTS": [...] }}*/ with JSON in it')
    first = text.count("\n", 0, opening.start()) + 1
    header, warnings, used = _readable(text, opening.end(), where, first)
    closing = text.find("*/", opening.end() + used)
    if closing < 0:
        raise Fault(f"{where}:{first}: the header's comment is never closed; expected */ after its last }}")
    closing += 2
    before = text[: opening.start()]
    # What stood before the header (a licence, a #version) is comment or is dropped by the translation.
    code = text[closing:]
    line = text.count("\n", 0, closing) + 1
    if before.strip():
        warnings.append(f"{where}:{first}: the header is not the first thing in the file")
    return header, code, line, warnings


def _readable(text: str, start: int, where: str, first: int) -> tuple[dict[str, Any], list[str], int]:
    """The header that starts there: up to the first `*/`, or a later one if that stood in one of its strings."""
    ends: list[int] = []
    while len(ends) < 4 and (at := text.find("*/", ends[-1] + 2 if ends else start)) >= 0:
        ends.append(at)
    failures = []
    for end in ends or [len(text)]:
        if end - start > _LONGEST:
            failures.append(
                Fault(
                    f"{where}:{first}: a header of {(end - start) / 1e6:.1f} MB; expected less than "
                    f"{_LONGEST / 1e6:.0f} MB"
                )
            )
            break
        try:
            return _read(text[start:end], where, text.count("\n", 0, start) + 1)
        except Fault as fault:
            failures.append(fault)
    raise failures[0]


def _read(raw: str, where: str, line: int) -> tuple[dict[str, Any], list[str], int]:
    warnings: list[str] = []
    failure = ValueError("")
    decoder = json.JSONDecoder(strict=False)
    for mended in (raw, _mend(raw)):
        try:
            value, used = decoder.raw_decode(mended)
            value = _capitals(value)
        except RecursionError:
            raise Fault(f"{where}:{line}: the header is nested too deeply; is it JSON?") from None
        except ValueError as error:
            failure = error
            continue
        if mended is not raw:
            warnings.append(
                f"{where}:{line}: the header has comments, trailing commas, odd numbers or escapes, "
                "which strict JSON does not know"
            )
        if not isinstance(value, dict):
            raise Fault(f'{where}:{line}: the header is no JSON object; expected {{ "INPUTS": [...] }}')
        return value, warnings, used if mended is raw else _json_end(raw)
    if not isinstance(failure, json.JSONDecodeError):
        raise Fault(f"{where}:{line}: the header is not valid JSON: {failure}")
    hint = {
        "Expecting ',' delimiter": "a comma or a closing bracket is missing before this",
        "Expecting property name enclosed in double quotes": "a key in double quotes is missing here",
        "Expecting ':' delimiter": "a colon is missing after the key",
        "Expecting value": "a value is missing here",
    }.get(failure.msg, failure.msg)
    raise Fault(f"{where}:{line + failure.lineno - 1}: the header is not valid JSON: {hint}")


def _json_end(raw: str) -> int:
    """About where a mended header's JSON ends in the text as written: after its last string."""
    last = 0
    for match in _LOOSE.finditer(raw):
        last = match.end()
    return last


def _mend(raw: str) -> str:
    """Blank out comments and trailing commas, complete numbers like `.5`, free odd escapes; lines stay lines."""
    plain = _PIECE.sub(lambda m: m[0] if m[0][0] == '"' else re.sub(r"[^\n]", " ", m[0]), raw)
    plain = _LOOSE.sub(lambda m: _ESCAPE.sub(_escaped, m[0]) if m[0][0] == '"' else _WORDS.get(m[0], ""), plain)
    return _NUMBER.sub(
        lambda m: (
            m[0]
            if m[0][0] == '"'
            else ""
            if m[0] == "+"
            else "0."
            if m.end() < len(plain) and plain[m.end()].isdigit()
            else ".0"
        ),
        plain,
    )


def _escaped(match: re.Match[str]) -> str:
    return match[0] if len(match[0]) > 1 else "\\\\"


def _capitals(value: Any, depth: int = 0) -> Any:
    """Keys in capitals, as the specification writes them, except those that are names (of buffers, of pictures)."""
    if isinstance(value, dict):
        return {
            key.strip() if depth == 1 else key.strip().upper(): _capitals(child, 0 if depth == 1 else _depth(key))
            for key, child in value.items()
        }
    if isinstance(value, list):
        return [_capitals(child, 0) for child in value]
    return value


def _depth(key: str) -> int:
    return 1 if key.strip().upper() in ("PERSISTENT_BUFFERS", "IMPORTED") else 0
