"""The JSON in a shader's first comment, read as other hosts do: comments and trailing commas may stay."""

from __future__ import annotations

import json
import re
from typing import Any

from performer.errors import Fault

_LONGEST = 1_000_000  # characters of a header
_LARGEST_FILE = 4_000_000
_BLOCK = re.compile(r"/\*+!?\s*(?=\{)")
_PIECE = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|,(?=(?:\s|//[^\n]*\n)*[\]}])', re.S)
_NUMBER = re.compile(r'"(?:\\.|[^"\\])*"|(?<![\w.])\+(?=[\d.])|(?<![\d.])\.(?=\d)|(?<=\d)\.(?![\d])', re.S)


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
        raise Fault(f"{where}:1: no ISF header; expected a first comment /*{{ \"INPUTS\": [...] }}*/ with JSON in it")
    first = text.count("\n", 0, opening.start()) + 1
    end = text.find("*/", opening.end())
    end = len(text) if end < 0 else end
    raw = text[opening.end():end]
    if len(raw) > _LONGEST:
        raise Fault(f"{where}:{first}: a header of {len(raw) / 1e6:.1f} MB; expected less than {_LONGEST / 1e6:.0f} MB")
    body_at = text.count("\n", 0, opening.end()) + 1
    header, warnings, used = _read(raw, where, body_at)
    closing = text.find("*/", opening.end() + used)
    if closing < 0:
        raise Fault(f"{where}:{first}: the header's comment is never closed; expected */ after its last }}")
    closing += 2
    before = text[:opening.start()]
    # What stood before the header (a licence, a #version) is comment or is dropped by the translation.
    code = text[closing:]
    line = text.count("\n", 0, closing) + 1
    if before.strip():
        warnings.append(f"{where}:{first}: the header is not the first thing in the file")
    return header, code, line, warnings


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
            warnings.append(f"{where}:{line}: the header has comments, trailing commas or odd numbers, "
                            "which strict JSON does not know")
        if not isinstance(value, dict):
            raise Fault(f"{where}:{line}: the header is no JSON object; expected {{ \"INPUTS\": [...] }}")
        return value, warnings, used if mended is raw else 0
    if not isinstance(failure, json.JSONDecodeError):
        raise Fault(f"{where}:{line}: the header is not valid JSON: {failure}")
    hint = {"Expecting ',' delimiter": "a comma or a closing bracket is missing before this",
            "Expecting property name enclosed in double quotes": "a key in double quotes is missing here",
            "Expecting ':' delimiter": "a colon is missing after the key",
            "Expecting value": "a value is missing here"}.get(failure.msg, failure.msg)
    raise Fault(f"{where}:{line + failure.lineno - 1}: the header is not valid JSON: {hint}")


def _mend(raw: str) -> str:
    """Blank out comments and trailing commas and complete numbers like `.5`; lines stay lines."""
    plain = _PIECE.sub(lambda m: m[0] if m[0][0] == '"' else re.sub(r"[^\n]", " ", m[0]), raw)
    return _NUMBER.sub(lambda m: m[0] if m[0][0] == '"' else "" if m[0] == "+" else
                       "0." if m.end() < len(plain) and plain[m.end()].isdigit() else ".0", plain)


def _capitals(value: Any, depth: int = 0) -> Any:
    """Keys in capitals, as the specification writes them, except those that are names (of buffers, of pictures)."""
    if isinstance(value, dict):
        return {key.strip() if depth == 1 else key.strip().upper(): _capitals(child, 0 if depth == 1 else _depth(key))
                for key, child in value.items()}
    if isinstance(value, list):
        return [_capitals(child, 0) for child in value]
    return value


def _depth(key: str) -> int:
    return 1 if key.strip().upper() in ("PERSISTENT_BUFFERS", "IMPORTED") else 0
