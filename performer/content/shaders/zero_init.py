"""Variables that an author leaves unset start at zero, as WebGL promises; in desktop GLSL they hold what lay there.

Done in the text: drivers that can do it themselves need to be told before they start, and leave out arrays and `out`
arguments. Every line stays on its line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<directive>^[ \t]*#(?:\\\n|[^\n])*)|(?P<word>[A-Za-z_]\w*)|(?P<number>\.?\d[\w.]*)"
    r"|(?P<space>(?:\s|\\\n)+)|(?P<sign>.)",
    re.M,
)
_DIRECTIVE = re.compile(r"[ \t]*#[ \t]*(\w+)")
_MACRO = re.compile(r"[ \t]*#[ \t]*define[ \t]+\w+(?:\([^)]*\))?[ \t]((?:\\\n|[^\n])*)")
#: A macro that stands for one word, such as `#define v2 vec2`.
_ALIAS = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+(\w+)[ \t]*$", re.M)
_SIZES = ("2", "3", "4", *(f"{columns}x{rows}" for columns in "234" for rows in "234"))
#: Type -> its zero.
ZERO = {
    "float": "0.0",
    "int": "0",
    "uint": "0u",
    "bool": "false",
    **{
        f"{kind}vec{n}": f"{kind}vec{n}({zero})"
        for kind, zero in {"": "0.0", "i": "0", "u": "0u"}.items()
        for n in "234"
    },
    **{f"bvec{n}": f"bvec{n}(false)" for n in "234"},
    **{f"mat{size}": f"mat{size}(0.0)" for size in _SIZES},
}
_HINTS = frozenset(["lowp", "mediump", "highp", "flat", "smooth", "centroid", "noperspective", "invariant"])
#: What is declared with these is set by somebody else, or where it is declared.
_SET = frozenset(["const", "uniform", "in", "out", "inout", "attribute", "varying", "buffer", "shared"])
_QUALIFIERS = _SET | _HINTS
_LITERAL = re.compile(r"\[\s*(\d{1,2})\s*\]")
_LONGEST = 32  # elements of an array that is set by an expression, as compilers like it; a longer one is set in a loop


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


def zeroed(code: str, outputs: tuple[str, ...] = ()) -> str:
    """The code, without comments, with a zero for all variables and `out` arguments that are declared without a value.

    Parameters
    ----------
    outputs : tuple[str, ...], optional
        Statements for the start of main(), which set what was declared elsewhere.
    """
    return _Zeroing(code, dict(ZERO), {match[1]: match[2] for match in _ALIAS.finditer(code)}, list(outputs), []).run()


class _Zeroing:
    """One pass over a text's tokens.

    zero     type -> GLSL of its zero; the author's structs are added as they are met
    aliases  macro -> the one word that it stands for
    outputs  statements for the start of main(); the author's own outputs are added
    open     the brackets that are open: "{" a block, "b" members of an interface, "(" an expression or parameters, "f"
             the head of a for, "[" an index
    """

    def __init__(
        self, code: str, zero: dict[str, str], aliases: dict[str, str], outputs: list[str], brackets: list[str]
    ) -> None:
        self.code = code
        self.zero = zero
        self.aliases = aliases
        self.outputs = outputs
        self.open = brackets
        self.tokens = [
            _Token(match.lastgroup or "", match[0], match.start(), match.end())
            for match in _TOKEN.finditer(code)
            if match.lastgroup != "space"
        ]
        self.puts: list[tuple[int, int, str]] = []  # (start, end, what stands there instead)
        self.begin = 0  # where the present declaration begins, outside functions

    def run(self) -> str:
        before: list[list[str]] = []  # brackets that were open before each #if
        at = 0
        while at < len(self.tokens):
            token = self.tokens[at]
            after = at
            if token.kind == "directive":
                self._directive(token, before)
            elif token.kind == "sign":
                self._bracket(at)
            elif token.kind == "word" and (not self.open or self.open[-1] in "{f"):
                after = self._struct(at) if token.text == "struct" else self._declaration(at)
            if not self.open and token.text in (";", "}"):
                self.begin = token.end
            at = max(after, at + 1)
        pieces = []
        end = 0
        for start, stop, text in sorted(self.puts, key=lambda put: put[0]):
            pieces += [self.code[end:start], text]
            end = stop
        return "".join([*pieces, self.code[end:]])

    # -- what surrounds

    def _bracket(self, at: int) -> None:
        text = self.tokens[at].text
        before = self.tokens[at - 1] if at else None
        if text == "(":
            self.open.append("f" if before is not None and before.text == "for" else "(")
        elif text == "{":
            interface = not self.open and before is not None and before.kind == "word"
            self.open.append("b" if interface else "{")
        elif text == "[":
            self.open.append("[")
        elif text in ")]}" and self.open:
            self.open.pop()

    def _directive(self, token: _Token, before: list[list[str]]) -> None:
        """Each branch of an #if begins with the brackets that were open before it; a macro may declare variables."""
        self.begin = token.end + 1
        match = _DIRECTIVE.match(token.text)
        word = match[1] if match is not None else ""
        if word in ("if", "ifdef", "ifndef"):
            before.append(list(self.open))
        elif word in ("else", "elif") and before:
            self.open = list(before[-1])
        elif word == "endif" and before:
            before.pop()
        macro = _MACRO.match(token.text)
        if macro is not None:
            body = _Zeroing(macro[1], self.zero, self.aliases, [], ["{"]).run()
            self.puts.append((token.start + macro.start(1), token.start + macro.end(1), body))

    # -- declarations

    def _declaration(self, at: int) -> int:
        """Put zeros into a declaration, or into the body of a function, that begins there: where it ends, or `at`."""
        begin, words = at, set[str]()
        while at < len(self.tokens) and self.tokens[at].text in _QUALIFIERS:
            words.add(self.tokens[at].text)
            at += 1
        kind = self._kind(at)
        if kind != "void" and kind not in self.zero:
            return at
        size, at = self._size(at + 1)
        if self._text(at + 1) == "(" and self.tokens[at].kind == "word":
            if not self.open:
                self._function(at)
            return at + 1
        if kind == "void" or at >= len(self.tokens) or self.tokens[at].kind != "word":
            return begin
        if words & _SET:
            if "out" in words and not self.open:
                self._output(at, kind, size)
            return at + 1
        return self._names(at, kind, size)

    def _kind(self, at: int) -> str:
        """The type that a token means, through macros."""
        word = self._text(at)
        for _ in range(8):
            if word in self.zero or word not in self.aliases:
                break
            word = self.aliases[word]
        return word

    def _names(self, at: int, kind: str, shape: str) -> int:
        """Put zeros behind the names of `a, b[3], c = 1.0;` whose first is at `at`: where it ends."""
        puts: list[tuple[int, int, str]] = []
        loops = ""
        while at < len(self.tokens) and self.tokens[at].kind == "word":
            name = self.tokens[at].text
            size, at = self._size(at + 1)
            if self._text(at) in (",", ";"):
                put, loop, helper = self._zero(name, kind, size or shape)
                place = self.tokens[at - 1].end
                puts.append((place, place, put))
                loops += loop
                if helper:
                    puts.append((self.begin, self.begin, helper))
            elif self._text(at) == "=":
                at = self._value_end(at + 1)
            if self._text(at) != ",":
                break
            at += 1
            while at < len(self.tokens) and self.tokens[at].kind == "directive":
                at += 1
        if self._text(at) == ";":  # else it is no declaration
            place = self.tokens[at].end
            self.puts += [*puts, (place, place, loops)]
        return at

    def _zero(self, name: str, kind: str, size: str) -> tuple[str, str, str]:
        """What stands behind a name; statements for behind the declaration; a function for before it."""
        if not size:
            return f" = {self.zero[kind]}", "", ""
        literal = _LITERAL.fullmatch(size)
        if literal is not None and int(literal[1]) <= _LONGEST:
            return f" = {kind}[{literal[1]}]({', '.join([self.zero[kind]] * int(literal[1]))})", "", ""
        if size.count("[") > 1 or not size[1:-1].strip() or "f" in self.open[-1:]:
            return "", "", ""  # an array of arrays, or one whose size its value gives
        if self.open:
            return "", f" {self._loop(name, kind)}", ""
        helper = f"{kind}{size} isf_zero_{name}() {{ {kind} isf_a{size}; {self._loop('isf_a', kind)} return isf_a; }} "
        return f" = isf_zero_{name}()", "", helper

    def _loop(self, name: str, kind: str) -> str:
        return f"for (int isf_i = 0; isf_i < {name}.length(); isf_i++) {name}[isf_i] = {self.zero[kind]};"

    def _output(self, at: int, kind: str, shape: str) -> None:
        """Remember what sets the outputs `a, b[2];` whose first is at `at`."""
        while at < len(self.tokens) and self.tokens[at].kind == "word":
            name = self.tokens[at].text
            size, at = self._size(at + 1)
            self.outputs.append(self._loop(name, kind) if size or shape else f"{name} = {self.zero[kind]};")
            if self._text(at) != ",":
                break
            at += 1

    def _function(self, at: int) -> None:
        """Put zeros for `out` arguments at the start of the body of the function whose name is at `at`."""
        close = self._close(at + 1)
        if self._text(close + 1) != "{":
            return
        zeros = list(self.outputs) if self.tokens[at].text == "main" else []
        for part in self._parts(at + 2, close):
            words = [token for token in part if token not in _HINTS]
            if len(words) < 3 or words[0] != "out":
                continue
            kind = words[1]
            for _ in range(8):
                kind = self.aliases.get(kind, kind) if kind not in self.zero else kind
            if kind not in self.zero:
                continue
            array = "[" in words
            name = words[-1] if words[2] == "[" else words[2]
            zeros.append(self._loop(name, kind) if array else f"{name} = {self.zero[kind]};")
        if zeros:
            place = self.tokens[close + 1].end
            self.puts.append((place, place, " " + " ".join(zeros)))

    def _struct(self, at: int) -> int:
        """Learn the zero of a struct that is declared there outside functions: where its declaration ends."""
        name = self._text(at + 1)
        opening = at + 2
        if self._text(opening) != "{":
            return at + 1
        close = self._close(opening)
        fields = self._fields(opening + 1, close)
        if fields is None or self.open:
            return close + 1
        self.zero[name] = f"isf_zero_{name}()"
        function = f" {name} isf_zero_{name}() {{ {name} isf_s; {fields}return isf_s; }}"
        if self._text(close + 1) == ";":
            place = self.tokens[close + 1].end
            self.puts.append((place, place, function))
            self.begin = place
            return close + 2
        if at and self.tokens[at - 1].text in _SET:
            return close + 1
        place = self.begin = self.tokens[close].end  # struct S { ... } a, b;
        self.puts.append((place, place, f";{function}"))
        after = self._names(close + 1, name, "")
        self.puts.append((place, place, f" {name}"))
        return after

    def _fields(self, at: int, close: int) -> str | None:
        """Statements that set the fields of `isf_s`; None where the type of one is not known, as with samplers."""
        statements = ""
        while at < close:
            if self.tokens[at].text in _HINTS or self.tokens[at].kind == "directive":
                at += 1
                continue
            kind = self._kind(at)
            if kind not in self.zero:
                return None
            shape, at = self._size(at + 1)
            while at < close and self.tokens[at].kind == "word":
                field = f"isf_s.{self.tokens[at].text}"
                size, at = self._size(at + 1)
                statements += f"{self._loop(field, kind) if size or shape else f'{field} = {self.zero[kind]};'} "
                at += self._text(at) == ","
            at += 1
        return statements

    # -- looking ahead

    def _text(self, at: int) -> str:
        return self.tokens[at].text if at < len(self.tokens) else ""

    def _size(self, at: int) -> tuple[str, int]:
        """The `[...]` there, empty for none, and what comes after."""
        begin = at
        while self._text(at) == "[":
            at = self._close(at) + 1
        return (self.code[self.tokens[begin].start : self.tokens[at - 1].end] if at > begin else ""), at

    def _close(self, at: int) -> int:
        """The bracket that closes the one at `at`, or the last token."""
        depth = 0
        for index in range(at, len(self.tokens)):
            token = self.tokens[index]
            if token.kind == "sign":
                depth += (token.text in "([{") - (token.text in ")]}")
                if depth == 0:
                    return index
        return len(self.tokens) - 1

    def _value_end(self, at: int) -> int:
        """Where a value ends: at its comma or semicolon, or at the bracket around it."""
        while at < len(self.tokens):
            token = self.tokens[at]
            if token.kind == "sign" and token.text in "([{":
                at = self._close(at)
            elif token.kind == "sign" and token.text in ",;)]}":
                break
            at += 1
        return at

    def _parts(self, at: int, close: int) -> list[list[str]]:
        """The words of each parameter between two brackets."""
        parts: list[list[str]] = [[]]
        depth = 0
        for token in self.tokens[at:close]:
            depth += (token.text in "([{") - (token.text in ")]}")
            if token.text == "," and depth == 0:
                parts.append([])
            elif token.kind != "directive":
                parts[-1].append(token.text)
        return parts
