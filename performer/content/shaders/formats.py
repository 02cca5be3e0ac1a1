"""Which of the manners of writing a shader a file has, and which files of a folder are shaders."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from performer.content.shaders import files as source
from performer.content.shaders import gl_transitions, reader, shadertoy
from performer.content.shaders.entry_point import ENTRY, draws
from performer.content.shaders.glsl import without_comments
from performer.content.shaders.spec import ShaderSpec
from performer.system.errors import Fault, counted, refusing

#: Endings of files that may be a shader by themselves.
SUFFIXES = (".fs", ".glsl", ".frag")
#: Endings of what other programs play, and what it is called.
FOREIGN = {
    ".milk": "MilkDrop preset",
    ".milk2": "MilkDrop preset",
    ".avs": "Winamp AVS preset",
    ".tox": "TouchDesigner component",
    ".qtz": "Quartz composition",
    ".jxs": "Jitter shader",
    ".hlsl": "HLSL shader",
    ".wgsl": "WebGPU shader",
}
_MILK = re.compile(r"\s*(?:MILKDROP_PRESET_VERSION|\[preset\d\d\])")
_HEADER = re.compile(r"\s*/\*+\s*\{")


def load(path: Path) -> ShaderSpec:
    """Read a shader file, or a folder with the tabs of one. Raises Fault("FILE:LINE: what; likely mend")."""
    with refusing(path):
        return _load(Path(path))


def foreign(paths: Iterable[Path]) -> str:
    """What other programs' files these are, in words: `3 MilkDrop presets (.milk), not played here`; empty for none."""
    counts = Counter(
        (FOREIGN[path.suffix.lower()], path.suffix.lower()) for path in paths if path.suffix.lower() in FOREIGN
    )
    words = [f"{counted(count, what)} ({suffix})" for (what, suffix), count in sorted(counts.items())]
    return f"{', '.join(words)}: not played here" if words else ""


def _load(path: Path) -> ShaderSpec:
    if path.suffix.lower() in FOREIGN:
        raise Fault(f"{path}: a {FOREIGN[path.suffix.lower()]} ({path.suffix.lower()}): not played here")
    if path.is_dir():
        return shadertoy.load(path)
    text = source.text(path)
    plain = without_comments(text)
    if _HEADER.match(text) or (path.suffix == ".fs" and ENTRY.search(plain) is None):
        return reader.load(path)
    if gl_transitions.ENTRY.search(plain):
        return gl_transitions.parse(text, path.stem, path)
    if ENTRY.search(plain) or draws(plain):
        return shadertoy.load(path)
    if _MILK.match(text):
        raise Fault(f"{path}: a {FOREIGN['.milk']}, whatever its ending: not played here")
    raise Fault(
        f"{path}:1: no shader that is known here; expected an ISF header /*{{ ... }}*/, "
        "vec4 transition(vec2 uv), void mainImage(out vec4 fragColor, in vec2 fragCoord) or a main() that draws"
    )


def files(folder: Path) -> Iterator[Path]:
    """The shaders in a folder and the folders in it, sorted; a folder of tabs counts as one."""
    try:
        if not folder.is_dir():
            return
        within = sorted(folder.iterdir())
    except OSError:  # a folder that may not be looked into
        return
    if shadertoy.is_folder(folder):
        yield folder
        return
    for path in within:
        if path.is_dir() and not path.name.startswith("."):
            if not (path.is_symlink() and folder.resolve().is_relative_to(path.resolve())):  # a link to a folder above
                yield from files(path)
        elif path.suffix in SUFFIXES and path.is_file():
            yield path


def owner(path: Path) -> Path | None:
    """The shader that a changed file belongs to: itself, the .fs beside a .vs, the folder of a tab; None: to none."""
    if path.suffix in (*SUFFIXES, ".vert") and shadertoy.is_folder(path.parent):
        return path.parent
    if path.suffix in (".vs", ".vert"):
        beside = [path.with_suffix(suffix) for suffix in SUFFIXES]
        return next((one for one in beside if one.is_file()), None)
    return path if path.suffix in SUFFIXES and path.is_file() else None
