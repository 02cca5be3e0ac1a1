"""Sizes of passes: expressions over $WIDTH, $HEIGHT and a shader's inputs, read by a small grammar."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from performer.system.errors import counted

_TOKEN = re.compile(
    r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)f?|\$?([A-Za-z_]\w*)|(\*\*|[-+*/%^(),]))"
)
_DEEPEST = 64

_BINARY: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": math.fmod,
    "^": math.pow,
    "**": math.pow,
}
#: name -> (number of arguments, 0 for one or more; function)
_FUNCTIONS: dict[str, tuple[int, Callable[..., float]]] = {
    "floor": (1, math.floor),
    "ceil": (1, math.ceil),
    "round": (1, round),
    "abs": (1, abs),
    "sqrt": (1, math.sqrt),
    "exp": (1, math.exp),
    "log": (1, math.log),
    "ln": (1, math.log),
    "log2": (1, math.log2),
    "sin": (1, math.sin),
    "cos": (1, math.cos),
    "trunc": (1, math.trunc),
    "tan": (1, math.tan),
    "asin": (1, math.asin),
    "acos": (1, math.acos),
    "atan": (1, math.atan),
    "cuberoot": (1, math.cbrt),
    "exp2": (1, math.exp2),
    "sign": (1, lambda x: math.copysign(1.0, x) if x else 0.0),
    "fract": (1, lambda x: x - math.floor(x)),
    "sum": (0, lambda *a: math.fsum(a)),
    "average": (0, lambda *a: math.fsum(a) / len(a)),
    "add": (2, operator.add),
    "subtract": (2, operator.sub),
    "multiply": (2, operator.mul),
    "divide": (2, operator.truediv),
    "negate": (1, operator.neg),
    "percent": (1, lambda x: x / 100.0),
    "min": (0, lambda *a: min(a)),
    "max": (0, lambda *a: max(a)),
    "pow": (2, math.pow),
    "mod": (2, math.fmod),
    "clamp": (3, lambda x, low, high: min(max(x, low), high)),
}
_CONSTANTS = {"pi": math.pi, "e": math.e, "phi": (1.0 + math.sqrt(5.0)) / 2.0}

Tree = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """One side of a pass's target, in pixels.

    Attributes
    ----------
    steps : tuple[Tree, ...]
        The parsed expression, operands first: ("number", x), ("name", n), ("call", function, count of arguments).
    names : frozenset[str]
        What it depends on: "WIDTH", "HEIGHT" and inputs.
    text : str
        As written.
    """

    steps: tuple[Tree, ...]
    names: frozenset[str]
    text: str

    def value(self, values: Mapping[str, float]) -> float | None:
        """The number of pixels, not yet rounded; None where it is no number (division by zero, overflow)."""
        try:
            number = _evaluate(self.steps, values)
        except (ArithmeticError, ValueError):
            return None
        return number if isinstance(number, (int, float)) and math.isfinite(number) else None


def parse(text: str, inputs: frozenset[str]) -> Size:
    """Read a size such as `$WIDTH/4`, `floor($HEIGHT * max(0.1, blur))` or `512`.

    The functions and constants are those of DDMathParser, which the specification names, that make sense for a size.

    Parameters
    ----------
    inputs : frozenset[str]
        Names it may use besides $WIDTH and $HEIGHT, with or without `$`.

    Raises
    ------
    ValueError
        Saying what was expected.
    """
    reader = _Reader(text, inputs | {"WIDTH", "HEIGHT"})
    tree = reader.sum(0)
    if reader.token is not None:
        raise ValueError(f"unexpected {reader.token[1]!r} in size {text!r}")
    return Size(_flat(tree), frozenset(reader.used), text)


class _Reader:
    """Recursive descent: sum > product > sign > power > atom."""

    def __init__(self, text: str, known: frozenset[str]) -> None:
        if len(text) > 1000:
            raise ValueError("a size's expression may have at most 1000 characters")
        self.text, self.known, self.used = text, known, set[str]()
        self.tokens = self._split(text)
        self.at = 0

    @staticmethod
    def _split(text: str) -> list[tuple[str, str]]:
        tokens = []
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                raise ValueError(f"unexpected {text[at:].strip()[0]!r} in size {text!r}")
            number, name, sign = match.groups()
            tokens.append(("number", number) if number else ("name", name) if name else ("sign", sign))
            at = match.end()
        return tokens

    @property
    def token(self) -> tuple[str, str] | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, *signs: str) -> str | None:
        token = self.token
        if token is not None and token[0] == "sign" and token[1] in signs:
            self.at += 1
            return token[1]
        return None

    def sum(self, depth: int) -> Tree:
        if depth > _DEEPEST:
            raise ValueError(f"size {self.text[:40]!r}... is nested too deeply")
        left = self.product(depth)
        while sign := self.take("+", "-"):
            left = ("call", _BINARY[sign], (left, self.product(depth)))
        return left

    def product(self, depth: int) -> Tree:
        left = self.signed(depth)
        while sign := self.take("*", "/", "%"):
            left = ("call", _BINARY[sign], (left, self.signed(depth)))
        return left

    def signed(self, depth: int) -> Tree:
        negative = False
        while sign := self.take("-", "+"):
            negative ^= sign == "-"
        power = self.power(depth)
        return ("call", operator.neg, (power,)) if negative else power

    def power(self, depth: int) -> Tree:
        base = self.atom(depth)
        if self.take("^", "**"):
            return ("call", math.pow, (base, self.signed(depth + 1) if depth < _DEEPEST else self.atom(depth)))
        return base

    def atom(self, depth: int) -> Tree:
        token = self.token
        if token is None:
            raise ValueError(f"size {self.text!r} ends too soon")
        self.at += 1
        kind, word = token
        if kind == "number":
            return ("number", float(word))
        if kind == "name":
            if word in _FUNCTIONS and self.take("("):
                return self.call(word, depth)
            if word in _CONSTANTS and word not in self.known:
                if self.take("("):
                    self.close()
                return ("number", _CONSTANTS[word])
            if word not in self.known:
                raise ValueError(f"size {self.text!r} names {word!r}, which is no input; expected $WIDTH or $HEIGHT")
            self.used.add(word)
            return ("name", word)
        if word == "(":
            inner = self.sum(depth + 1)
            self.close()
            return inner
        raise ValueError(f"unexpected {word!r} in size {self.text!r}")

    def call(self, word: str, depth: int) -> Tree:
        count, function = _FUNCTIONS[word]
        arguments = [self.sum(depth + 1)]
        while self.take(","):
            arguments.append(self.sum(depth + 1))
        self.close()
        if count and len(arguments) != count:
            raise ValueError(f"{word}() in size {self.text!r} takes {counted(count, 'argument')}, not {len(arguments)}")
        return ("call", function, tuple(arguments))

    def close(self) -> None:
        if not self.take(")"):
            raise ValueError(f"')' missing in size {self.text!r}")


def _flat(tree: Tree) -> tuple[Tree, ...]:
    """The steps of a tree, operands first: a sum of 500 terms is a tree 500 deep, which recursion does not survive."""
    steps: list[Tree] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if node[0] == "call":
            steps.append(("call", node[1], len(node[2])))
            waiting += node[2]
        else:
            steps.append(node)
    return tuple(reversed(steps))


def _evaluate(steps: tuple[Tree, ...], values: Mapping[str, float]) -> float:
    stack: list[float] = []
    for kind, what, *count in steps:
        if kind == "number":
            stack.append(float(what))
        elif kind == "name":
            stack.append(float(values[what]))
        else:
            arguments = stack[-count[0] :]
            del stack[-count[0] :]
            stack.append(what(*arguments))
    return stack[0]
