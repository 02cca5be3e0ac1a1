"""Why ONNX Runtime would not have a model, in words for people."""

from __future__ import annotations

import re

_NO_OPERATOR = (
    re.compile(r'In Node, \("[^"]*", (?P<name>\w+), "(?P<domain>[\w.-]*)", -1\).*(?:No opset import|No Op registered)'),
    re.compile(r"(?:(?P<domain>[\w.-]+):)?(?P<name>\w+)\(-?\d+\) is not a registered function/op"),
)
_OPSET = re.compile(r"Opset (\d+) is under development.*official support for domain \S+ is till opset (\d+)")
_WHERE_IN_CODE = re.compile(r"(?<!\S)\S+\.(?:cc|cpp|h|hpp|cu|cuh):\d+ ")
_RUNNING = re.compile(r"^Non-zero status code returned while running (\w+) node\. Name:'[^']*' Status Message: ")
_FOLDERS = re.compile(r"(?<![\w.])(?:[A-Za-z]:)?[\\/](?:[^\s'\"\\/:]+[\\/])+")
_LONGEST = 220  # characters of a reason


def onnx_reason(error: BaseException) -> str:
    """What ONNX Runtime says is wrong, on one line: without its codes, C++ names and paths.

    Its sentences end with the reason, so a message that is too long loses its first ones.
    """
    text = " ".join(str(error).split()) or repr(error)
    text = text if len(text) < 6000 else f"{text[:2000]} {text[-4000:]}"  # names in a file may be as long as it likes
    for pattern in _NO_OPERATOR:
        if found := pattern.search(text):
            domain = found["domain"]
            return f"it has no operator {found['name']!r}{f' of {domain!r}' if domain else ''}; export it without that"
    if found := _OPSET.search(text):
        return (
            f"it is for opset {found[1]}, and ONNX Runtime reads up to {found[2]}; export it for that or an older one"
        )
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", text)
    text = re.sub(r"^Load model from .*? failed:\s*", "", text)
    text = re.sub(r"^Exception during (?:initialization|loading): ", "", text)
    running = _RUNNING.match(text)
    text = _RUNNING.sub("", text)
    while place := _WHERE_IN_CODE.search(text):
        text = text[: place.start()] + _after_signature(text[place.end() :])
    text = re.sub(r"^[^.]*? was false\. (?=\S)", "", text)
    text = re.sub(r"^(?:This is an invalid model\. )?In Node, .*, Error ", "", text)
    text = re.sub(r"^Node \([^)]*\) Op \((\w+)\) \[\w+\] ", r"\1: ", text)
    text = _FOLDERS.sub("", text).strip()
    if running is not None:
        text = f"{running[1]}: {text}"
    sentences = re.split(r"(?<=[a-z0-9)]\.) (?=[A-Z])", text)
    while len(sentences) > 1 and len(" ".join(sentences)) > _LONGEST:
        del sentences[0]
    text = " ".join(sentences).removesuffix(".")
    if "model IR version" in text:
        text += "; export it for an older version of ONNX"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _after_signature(text: str) -> str:
    """A message without the C++ function that it begins with."""
    if not re.match(r"[^(]*::[^(]*\(", text):
        return re.sub(r"^[a-z_]*[A-Z]\w* (?=[A-Z'\"])", "", text)  # a bare name: `Compute MatMul dimension mismatch`
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == ")" and depth == 0 and not text[at + 1 :].startswith("("):
            return re.sub(r"^ (?:const )?(?:\[with [^\]]*\] )?", "", text[at + 1 :])
    return text
