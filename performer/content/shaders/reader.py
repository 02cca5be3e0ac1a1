"""A shader's header and code -> ShaderSpec; every value is looked at before it is believed."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from performer.content.shaders import files, glsl, materials, pass_size
from performer.content.shaders.directives import Included
from performer.content.shaders.isf_header import split
from performer.content.shaders.madmapper_glsl import LIBRARIES
from performer.content.shaders.pass_size import Size
from performer.content.shaders.spec import LARGEST, AudioInput, Pass, ShaderSpec
from performer.system.errors import Fault, nearest
from performer.types.params import KINDS, Param

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}")
_TYPES = {"float": "float", "bool": "bool", "long": "int", "event": "bool", "point2D": "vec2", "color": "vec4"}
_BY_LOWER = {kind.lower(): kind for kind in (*KINDS, "image", "audio", "audioFFT")}
#: What authors write, and some hosts take, for the types of the specification.
_ALIASES = {
    "int": "long",
    "integer": "long",
    "boolean": "bool",
    "vec2": "point2D",
    "point": "point2D",
    "vec4": "color",
    "colour": "color",
    "trigger": "event",
    "number": "float",
    "fft": "audioFFT",
    "floatrange": "point2D",
}
#: Those of them that MadMapper's format has, and which are no slip.
_MADMAPPERS = ("int", "floatrange")
_MOST = 256  # inputs, passes
#: What PERFORMER.alpha may say besides "straight".
ALPHAS = ("premultiplied", "opaque")


def load(path: Path) -> ShaderSpec:
    """Read a .fs file, and the .vs file beside it where there is one. Raises Fault."""
    path = Path(path)
    beside = [path.with_suffix(ending) for ending in (".vs", ".vert")]
    vertex = next((other for other in beside if other != path and other.is_file()), None)
    return parse(files.text(path), path.stem, path, files.text(vertex) if vertex is not None else None)


def parse(text: str, name: str, path: Path | None = None, vertex: str | None = None) -> ShaderSpec:
    """Read a shader.

    Parameters
    ----------
    text : str
        Header and GLSL of the .fs file.
    name : str
        By which presets call it.
    path : Path, optional
        Where it lies: for errors, and for the pictures it imports.
    vertex : str, optional
        Text of the .vs file.

    Raises
    ------
    Fault
        As "FILE:LINE: what; likely mend".
    """
    return _Reader(text, name, path, vertex).spec()


class _Reader:
    def __init__(self, text: str, name: str, path: Path | None, vertex: str | None) -> None:
        self.text = text
        self.name = name
        self.path = path
        self.author_vertex = vertex
        self.where = str(path) if path is not None else name
        self.header, code, self.line, self.warnings = split(text, self.where)
        self.included = Included([self.where], LIBRARIES)
        self.code = self.included.expand(code, self.line, path.parent if path is not None else None)
        self.warnings += self.included.notes
        self.taken: set[str] = set()
        self.params: list[Param] = []
        self.images: list[str] = []
        self.audio: list[AudioInput] = []
        self.curves: list[str] = []  # MadMapper's, drawn by hand there

    def spec(self) -> ShaderSpec:
        material = materials.entry(self.code, self.where)  # of MadMapper, which has no main()
        if not material and not re.search(r"\bmain\s*\(", self.code):
            raise Fault(f"{self.where}:{self.line}: no main() after the header; expected void main() {{ ... }}")
        for i, row in enumerate(self.rows("INPUTS")):
            self.input(row, f"INPUTS[{i}]")
        if material == "fxColorForPixel" and "inputImage" not in self.images:
            self.images.append("inputImage")
        passes, buffers = self.passes()
        buffers += self.curves
        if material and materials.keeps_last_frame(self.header, self.code):
            passes = [Pass(materials.LAST_FRAME, persistent=True, floating=True), Pass()]
        signals = materials.signals(self.rows("GENERATORS"), self.params, self.where, self.warnings)
        imported = self.imported()
        kind = (
            "transition"
            if {"startImage", "endImage"} <= set(self.images)
            else "filter"
            if "inputImage" in self.images
            else "source"
        )
        uniforms = {param.name: _TYPES[param.kind] for param in self.params}
        samplers = dict.fromkeys(
            [
                *self.images,
                *(a.name for a in self.audio),
                *(p.target for p in passes if p.target),
                *buffers,
                *(n for n, _ in imported),
            ]
        )
        for twice in sorted(set(uniforms) & set(samplers)):
            raise self.fault(twice, f"the name {twice!r} is both an input and an image; rename one of them")
        knobs = [p for p in self.params if not (kind == "transition" and p.name == "progress")]
        if kind == "transition" and "progress" not in uniforms:
            uniforms["progress"] = "float"
        uniforms |= {signal.name: "float" for signal in signals}
        fragments: tuple[str, ...] = ()
        if material:
            before = materials.before(material, self.header, self.params)
            after = materials.after(material, self.header)
            fragment = glsl.fragment(self.code, self.line, uniforms, samplers, before, after, (), materials.NAMES)
            if materials.LAST_FRAME in samplers:
                fragments = (fragment, glsl.fragment(materials.SHOWN, 1, {}, samplers))
            self.author_vertex = materials.vertex(self.author_vertex) if self.author_vertex is not None else None
        else:
            fragment = glsl.fragment(self.code, self.line, uniforms, samplers)
        if self.author_vertex is not None:
            own = Included([str(self.path.with_suffix(".vs")) if self.path is not None else self.name], LIBRARIES)
            text = own.expand(self.author_vertex, 1, self.path.parent if self.path is not None else None)
            vertex = glsl.vertex(text, uniforms, samplers)
        else:
            vertex, wanted = glsl.plain_vertex(fragment)
            if wanted:
                self.warnings.append(
                    f"{self.where}: needs {', '.join(wanted)} of a vertex shader; put its .vs file beside it"
                )
        private = self.header.get("PERFORMER")
        private = private if isinstance(private, dict) else {}
        return ShaderSpec(
            name=self.name,
            kind=kind,
            description=self.string("DESCRIPTION"),
            credit=self.string("CREDIT"),
            categories=tuple(str(c) for c in self.list("CATEGORIES")),
            inputs=tuple(knobs),
            images=tuple(self.images),
            audio=tuple(self.audio),
            passes=tuple(passes),
            buffers=tuple(buffers),
            imported=tuple(imported),
            fragment=fragment,
            vertex=vertex,
            corners=self.author_vertex is not None,
            costly=str(private.get("COST")).lower() == "high",
            alpha=self.alpha(private.get("ALPHA")),
            path=self.path,
            warnings=tuple(self.warnings),
            fragments=fragments,
            sources=(tuple(self.included.names),) * len(passes) if len(self.included.names) > 1 else (),
            signals=signals,
        )

    def alpha(self, said: Any) -> str:
        """What the author says of the alpha that the shader writes."""
        if said is None or str(said).lower() == "straight":
            return ""
        if str(said).lower() in ALPHAS:
            return str(said).lower()
        self.warnings.append(
            f"{self.where}:{self.line_of('alpha')}: PERFORMER.alpha: expected straight, {' or '.join(ALPHAS)}, "
            f"got {said!r:.40}; straight is taken"
        )
        return ""

    # -- inputs

    def input(self, row: dict[str, Any], key: str) -> None:
        if not row:
            return
        name = self._input_name(row, key)
        if not name:
            return
        self.taken.add(name)
        written = str(row.get("TYPE", "")).strip()
        if written.lower() == "curve":
            self.curves.append(name)
            self.warnings.append(f"{self.where}:{self.line_of(name)}: curves are not known here; {name!r} is flat")
            return
        if written.lower() == "floatrange":  # its limits are those of both numbers
            row = {**row, **{key: [row[key]] * 2 for key in ("MIN", "MAX") if _number(row.get(key)) is not None}}
        kind = self._input_kind(name, written, key)
        if kind == "image":
            self.images.append(name)
        elif kind in ("audio", "audioFFT"):
            usual = 512 if kind == "audioFFT" else 1024
            width = min(max(_number(row.get("MAX")) or _number(row.get("SIZE")) or usual, 1), LARGEST)
            self.audio.append(AudioInput(name, kind == "audioFFT", int(width)))
        else:
            self.params.append(self.param(row, name, kind))

    def _input_name(self, row: dict[str, Any], key: str) -> str:
        """An input's name; empty where it is left out, which is said. Raises Fault."""
        raw = row.get("NAME")
        if raw is None:
            self.warnings.append(f"{self.where}:{self.line_of('INPUTS')}: {key} has no NAME; left out")
            return ""
        name = raw.strip() if isinstance(raw, str) else ""
        if not _IDENTIFIER.fullmatch(name):
            raise self.fault(str(raw), f"{key}.NAME: expected a name of letters, digits and _, got {raw!r}")
        if name.startswith(("gl_", "isf_")) or name in glsl.STANDARD:
            raise self.fault(name, f"{key}.NAME: {name!r} is taken by the format; choose another name")
        if name in self.taken:
            self.warnings.append(f"{self.where}:{self.line_of(name)}: two inputs are called {name!r}; the first counts")
            return ""
        return name

    def _input_kind(self, name: str, written: str, key: str) -> str:
        """One of KINDS, image, audio or audioFFT: what the TYPE of an input says. Raises Fault."""
        kind = _BY_LOWER.get(written.lower())
        if kind is None and written.lower() in _ALIASES:
            kind = _ALIASES[written.lower()]
            if written.lower() not in _MADMAPPERS:
                self.warnings.append(f"{self.where}:{self.line_of(name)}: TYPE {written!r} is taken for {kind!r}")
        if kind is None:
            known = list(_BY_LOWER.values())
            raise self.fault(
                name, f"{key}.TYPE: expected one of {', '.join(known)}, got {written!r}" + nearest(written, known)
            )
        return kind

    def param(self, row: dict[str, Any], name: str, kind: str) -> Param:
        label = str(row.get("LABEL") or "")
        if kind == "long":
            return self.choice(row, name, label)
        if kind in ("bool", "event"):
            return Param(name, kind, float(bool(_number(row.get("DEFAULT")))) if kind == "bool" else 0.0, label=label)
        if kind == "float":
            low, high = _number(row.get("MIN")), _number(row.get("MAX"))
            default = _number(row.get("DEFAULT"))
            if default is None:
                default = _number(row.get("IDENTITY"))
            low, high = self.limits(name, low, high, default)
            return Param(name, kind, low if default is None else min(max(default, low), high), low, high, label=label)
        n = KINDS[kind]
        given = _numbers(row.get("DEFAULT"), n)
        fallback: tuple[float, ...] = (1.0,) * n if kind == "color" and given is None else (0.0,) * n
        lows, highs = _numbers(row.get("MIN"), n), _numbers(row.get("MAX"), n)
        if kind == "point2D" and given is None and lows and highs:
            fallback = tuple((a + b) / 2.0 for a, b in zip(lows, highs, strict=True))
        default_n = given or fallback
        low_n = tuple(min(a, d) for a, d in zip(lows or (0.0,) * n, default_n, strict=True))
        high_n = tuple(max(a, d, lo) for a, d, lo in zip(highs or (1.0,) * n, default_n, low_n, strict=True))
        return Param(name, kind, default_n, low_n, high_n, label=label)

    def limits(self, name: str, low: float | None, high: float | None, default: float | None) -> tuple[float, float]:
        """Limits that hold each other and the default: where one is missing it is 0 or 1, or wider where needed."""
        at = 0.0 if default is None else default
        if low is not None and high is not None and low > high:
            self.warnings.append(f"{self.where}:{self.line_of(name)}: MIN of {name!r} is above its MAX; exchanged")
            low, high = high, low
        if low is None:
            low = min(0.0, at, high if high is not None else 0.0)
        if high is None:
            high = max(1.0, at, low)
        if default is not None and not low <= default <= high:
            low = min(low, default)
            high = max(high, default)
        return low, high

    def choice(self, row: dict[str, Any], name: str, label: str) -> Param:
        written = _as_list(row.get("VALUES"))
        values = [int(v) for v in map(_number, written) if v is not None]
        labels = [str(v) for v in _as_list(row.get("LABELS"))]
        if written and not values:  # words instead of numbers: they count from 0
            values = list(range(len(written)))
            labels = [str(v) for v in written]
        default = _number(row.get("DEFAULT"))
        if default is None and (word := str(row.get("DEFAULT"))) in labels and values:
            default = float(values[min(labels.index(word), len(values) - 1)])
        if not values:
            low, high = _number(row.get("MIN")), _number(row.get("MAX"))
            if labels:
                values = list(range(len(labels)))
            elif low is None or high is None:
                low, high = self.limits(name, low, high, default)
                high = max(high, 1.0)
            if not values and low is not None and high is not None:
                low, high = math.floor(min(low, high)), math.ceil(max(low, high))
                if high - low < 256:
                    values = list(range(int(low), int(high) + 1))
                else:
                    at = float(low if default is None else int(default))
                    return Param(name, "long", at, float(low), float(high), label=label)
        if default is not None and int(default) not in values:
            index = int(default)
            self.warnings.append(f"{self.where}:{self.line_of(name)}: DEFAULT of {name!r} is none of its VALUES")
            default = float(values[index]) if 0 <= index < len(values) else float(values[0])
        labels = (labels + [str(v) for v in values[len(labels) :]])[: len(values)]
        start = float(values[0] if default is None else int(default))
        return Param(
            name,
            "long",
            start,
            float(min(values)),
            float(max(values)),
            label=label,
            values=tuple(values),
            labels=tuple(labels),
        )

    # -- passes

    def passes(self) -> tuple[list[Pass], list[str]]:
        kept = self.header.get("PERSISTENT_BUFFERS") or []
        lasting: dict[str, dict[str, Any]] = {}
        if isinstance(kept, dict):
            lasting = {str(n): row if isinstance(row, dict) else {} for n, row in kept.items()}
        else:
            for entry in _as_list(kept):
                if isinstance(entry, dict):
                    lasting[str(entry.get("NAME"))] = entry
                else:
                    lasting[str(entry)] = {}
        passes = [self.one_pass(row, lasting, f"PASSES[{i}]") for i, row in enumerate(self.rows("PASSES"))]
        drawn = {p.target for p in passes}
        # A buffer drawn to by several passes is one buffer: what any of them says of it holds for all.
        for at, p in enumerate(passes):
            if p.target is not None:
                same = [q for q in passes if q.target == p.target]
                passes[at] = Pass(
                    p.target,
                    any(q.persistent for q in same),
                    any(q.floating for q in same),
                    next((q.width for q in same if q.width), None),
                    next((q.height for q in same if q.height), None),
                )
        for name in lasting:
            if not _IDENTIFIER.fullmatch(name):
                raise self.fault(name, f"PERSISTENT_BUFFERS: expected names of letters, digits and _, got {name!r}")
        return passes or [Pass()], [name for name in lasting if name not in drawn]

    def one_pass(self, row: dict[str, Any], lasting: dict[str, dict[str, Any]], key: str) -> Pass:
        target = row.get("TARGET") or None
        if target is not None and (not isinstance(target, str) or not _IDENTIFIER.fullmatch(target)):
            raise self.fault(str(target), f"{key}.TARGET: expected a name of letters, digits and _, got {target!r}")
        if target is not None and target in glsl.STANDARD:
            raise self.fault(target, f"{key}.TARGET: {target!r} is taken by the format; choose another name")
        old = lasting.get(target or "", {})
        row = {**old, **row}
        return Pass(
            target,
            target in lasting or _truth(row.get("PERSISTENT")),
            _truth(row.get("FLOAT")),
            self.side(row.get("WIDTH"), f"{key}.WIDTH"),
            self.side(row.get("HEIGHT"), f"{key}.HEIGHT"),
        )

    def side(self, raw: Any, key: str) -> Size | None:
        if raw is None or raw == "" or isinstance(raw, (list, dict, bool)):
            return None
        numbers = frozenset(p.name for p in self.params if KINDS[p.kind] == 1)
        try:
            one = pass_size.parse(str(raw), numbers)
        except ValueError as error:
            self.warnings.append(f"{self.where}:{self.line_of(str(raw))}: {key}: {error}; the picture's size is taken")
            return None
        usual = {p.name: p.default for p in self.params if KINDS[p.kind] == 1}
        number = one.value({"WIDTH": 1920.0, "HEIGHT": 1080.0, **usual})  # type: ignore[dict-item]
        if number is None or not 1.0 <= number <= LARGEST:
            says = "has no value" if number is None else f"is {number:.6g} pixels"
            taken = "the picture's size" if number is None else f"{min(max(number, 1.0), LARGEST):.0f}"
            self.warnings.append(
                f"{self.where}:{self.line_of(str(raw))}: {key}: {str(raw)!r:.80} {says} at 1920x1080; {taken} is taken"
            )
        return one

    # -- imported pictures

    def imported(self) -> list[tuple[str, Path]]:
        raw = self.header.get("IMPORTED") or {}
        entries = (
            raw.items()
            if isinstance(raw, dict)
            else [(row.get("NAME"), row) for row in _as_list(raw) if isinstance(row, dict)]
        )
        found = []
        for name, row in entries:
            file = row.get("PATH") if isinstance(row, dict) else row
            if isinstance(file, list) and file:
                self.warnings.append(
                    f"{self.where}:{self.line_of(str(name))}: IMPORTED.{name}: cube maps are not "
                    "known here; the first picture is taken for the whole sky"
                )
                file = file[0]
            if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name) or not isinstance(file, str):
                raise self.fault("IMPORTED", f"IMPORTED: expected NAME and PATH of a picture, got {name!r}: {file!r}")
            found.append((name, self.beside(name, file)))
        return found

    def beside(self, name: str, file: str) -> Path:
        """The picture's path, which must stay within the shader's own folder."""
        inside = files.beside(self.path.parent if self.path is not None else Path(), file)
        if inside is None:
            raise self.fault(
                name, f"IMPORTED.{name}.PATH: {file!r:.80} leaves the shader's folder; put the picture beside it"
            )
        if not files.is_there(inside):
            self.warnings.append(
                f"{self.where}:{self.line_of(name)}: imported picture {file!r:.80} is not there; "
                "a plain one takes its place"
            )
        return inside

    # -- reading the header

    def rows(self, key: str) -> list[dict[str, Any]]:
        rows = self.list(key)
        for i, row in enumerate(rows):
            if not isinstance(row, dict):
                raise self.fault(key, f"{key}[{i}]: expected an object {{...}}, got {row!r:.60}")
        if len(rows) > _MOST:
            raise self.fault(key, f"{key}: {len(rows)} entries; expected at most {_MOST}")
        return rows

    def list(self, key: str) -> list[Any]:
        raw = self.header.get(key)
        if raw is None:
            return []
        if isinstance(raw, dict) and raw and key in ("INPUTS", "PASSES"):
            raise self.fault(key, f"{key}: expected a list [...], got an object")
        return [] if raw == {} else _as_list(raw)

    def string(self, key: str) -> str:
        raw = self.header.get(key)
        return raw if isinstance(raw, str) else ""

    def fault(self, word: str, what: str) -> Fault:
        return Fault(f"{self.where}:{self.line_of(word)}: {what}")

    def line_of(self, word: str) -> int:
        """The first line of the header that has the word in quotes, or the header's first line."""
        at = self.text.find(f'"{word}"')
        return self.text.count("\n", 0, at) + 1 if at >= 0 else 1


def _as_list(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else [] if raw is None else [raw]


def _number(raw: Any) -> float | None:
    """A finite number, also from "0.5", true or a list of one; None for anything else."""
    if isinstance(raw, list) and raw:
        raw = raw[0]
    if isinstance(raw, str):
        word = raw.strip().lower()
        raw = {"true": 1.0, "false": 0.0}.get(word, word)
    try:
        value = float(raw)
    except (TypeError, ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def _numbers(raw: Any, n: int) -> tuple[float, ...] | None:
    if not isinstance(raw, list):
        return None
    parts = [v for v in map(_number, raw) if v is not None]
    if n == 4 and len(parts) == 3:
        parts.append(1.0)
    return tuple(parts[:n]) if len(parts) >= n else None


def _truth(raw: Any) -> bool:
    return bool(_number(raw))
