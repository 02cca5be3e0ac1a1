"""Lines that begin with # and that no driver knows: `#include`, and what editors of Shadertoy code understand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from performer.content.shaders import files
from performer.content.shaders.spec import FILE_LINES
from performer.system.errors import Fault

_COMMENT = re.compile(r"//(?:\\\n|[^\n])*|/\*.*?(?:\*/|\Z)", re.S)
_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(\w+)((?:\\\n|[^\n])*)", re.M)
_INCLUDE = re.compile(r'\s*["<]([^">\n]*)[">]')
_CHANNEL = re.compile(r'\s*"([^"\n]*)"')
_UNIFORM = re.compile(r"\s*(\w+)\s+(\w+)\s*=\s*(.*?)\s*(?:\bin\s*\{[^}]*\})?\s*(?:\bstep\b[^;]*)?;?\s*$")
_DEEPEST = 8  # files within files
_MOST = 64  # files in all
#: Types of the editors' own sliders -> GLSL's.
_TYPES = {"color3": "vec3", "color4": "vec4"}


@dataclass(slots=True)
class Included:
    """The files that a shader's text is made of.

    Attributes
    ----------
    library : dict[str, str]
        Texts that come with the program, by the name they are included by; no file of a person goes before them.
    names : list[str]
        Where each is from, for errors: lines of number n begin at n * FILE_LINES + 1.
    notes : list[str]
        One line each: what was left out.
    channels : dict[int, str]
        What `#iChannelN "..."` says, by N.
    """

    names: list[str]
    library: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    channels: dict[int, str] = field(default_factory=dict)

    def expand(self, text: str, line: int, folder: Path | None, number: int = 0, depth: int = 0) -> str:
        """The text with what it includes in it, and without the editors' lines; what stays keeps its line number.

        Parameters
        ----------
        line : int
            Number of the text's first line.
        folder : Path | None
            Where the files are looked for; None for nowhere.
        number : int, optional
            Number of the text's file in `names`.

        Raises
        ------
        Fault
            Where a file is missing, or includes itself.
        """
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        spans = [match.span() for match in _COMMENT.finditer(text)]
        pieces = []
        at = 0
        within = 0
        for match in _DIRECTIVE.finditer(text):
            if any(start <= match.start() < end for start, end in spans):
                continue
            word = match[1]
            rest = match[2]
            within += {"if": 1, "ifdef": 1, "ifndef": 1, "endif": -1}.get(word, 0)
            here = line + text.count("\n", 0, match.start())
            put = self._instead(word, rest, match[0], (number, here), folder, depth, within > 0)
            if put is not None:
                pieces += [text[at : match.start()], put]
                at = match.end()
        return "".join([*pieces, text[at:]])

    def _instead(
        self,
        word: str,
        rest: str,
        whole: str,
        place: tuple[int, int],
        folder: Path | None,
        depth: int,
        conditional: bool,
    ) -> str | None:
        """What stands in a directive's place; None where it may stay."""
        where = f"{self.names[place[0]]}:{place[1]}"
        blank = "\n" * whole.count("\n")
        if word == "include":
            match = _INCLUDE.match(rest)
            if match is None:
                raise Fault(f'{where}: #include: expected the name of a file in quotes, as in #include "noise.glsl"')
            return self._include(match[1], place, folder, depth, conditional)
        if word == "iUniform":
            uniform = _UNIFORM.match(_COMMENT.sub(" ", rest))
            if uniform is None:
                self.notes.append(f"{where}: #iUniform is left out; write uniform float name; // = 0.5")
                return blank
            value = uniform[3].replace("color3", "vec3").replace("color4", "vec4")
            return f"uniform {_TYPES.get(uniform[1], uniform[1])} {uniform[2]} = {value};" + blank
        channel = re.fullmatch(r"iChannel(\d)", word)
        if channel is not None:
            said = _CHANNEL.match(rest)
            if said is not None and not rest.startswith("::"):
                self.channels[int(channel[1])] = said[1].removeprefix("file://").removeprefix("./")
            return blank
        if word in ("iKeyboard", "iVertex", "StrictCompatibility"):
            self.notes.append(f"{where}: #{word} means nothing here; it is left out")
            return blank
        return None

    def _include(self, file: str, place: tuple[int, int], folder: Path | None, depth: int, conditional: bool) -> str:
        where = f"{self.names[place[0]]}:{place[1]}"
        plain = file.replace("\\", "/").rsplit("/", 1)[-1]
        if plain in self.library:
            text = self.library[plain]
            name = plain
            beside = None
        else:
            path = files.beside(folder, file) if folder is not None else None
            if path is None or not files.is_there(path):
                wanted = f"there is no file {file!r:.80} to include; put it beside this one"
                if path is None and folder is not None:
                    wanted = f"the included file {file!r:.80} lies outside the shader's folder; put it beside this one"
                if conditional:  # perhaps for another program only: then nobody misses it
                    return f"#error {wanted}"
                raise Fault(f"{where}: {wanted}")
            text = files.text(path)
            name = str(path)
            beside = path.parent
        if depth >= _DEEPEST or len(self.names) >= _MOST:
            raise Fault(f"{where}: #include {file!r:.80}: files include each other without end")
        self.names.append(name)
        number = len(self.names) - 1
        inner = self.expand(text, 1, beside, number, depth + 1)
        inner = _COMMENT.sub(lambda match: " " + "\n" * match[0].count("\n"), inner)  # one left open stays in its file
        return f"#line {number * FILE_LINES + 1}\n{inner}\n#line {place[0] * FILE_LINES + place[1] + 1}"
