"""Code in the manner of https://www.shadertoy.com: one file with mainImage, or a folder of Image, Buffer A-D, Common.

What a channel shows is said in a comment, `// iChannel0: audio`; see `CHANNELS`. Only a shim around the author's code.
Files of GLSL Sandbox, glslViewer and Bonzomatic, in which `void main()` draws, are read here too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from performer.content.shaders import files as source
from performer.content.shaders import glsl, host_uniforms, uniform_params
from performer.content.shaders.directives import Included
from performer.content.shaders.entry_point import OUTPUT, drawing
from performer.content.shaders.spec import FILE_LINES, AudioInput, Pass, ShaderSpec
from performer.system.errors import Fault, nearest
from performer.types.params import Param

#: What `// iChannelN: WORD` may say, besides the name of a picture file in the same folder.
CHANNELS = ("audio", "image", "self", "bufferA", "bufferB", "bufferC", "bufferD", "none")
#: What people write for them, too: openfx's "Source", Shadertoy's kinds of input.
_SYNONYMS = {
    "sound": "audio",
    "music": "audio",
    "mic": "audio",
    "microphone": "audio",
    "fft": "audio",
    "soundcloud": "audio",
    "input": "image",
    "source": "image",
    "video": "image",
    "webcam": "image",
    "camera": "image",
    "inputimage": "image",
    "keyboard": "none",
    "nothing": "none",
    "bufa": "bufferA",
    "bufb": "bufferB",
    "bufc": "bufferC",
    "bufd": "bufferD",
}
_TABS = ("buffera", "bufferb", "bufferc", "bufferd", "image")
_BUFFERS = {tab: f"buffer{tab[-1].upper()}" for tab in _TABS[:4]}
_COMMENT = re.compile(r"(?://|/\*|\*)[ \t]*iChannel([0-3])[ \t]*[:=][ \t]*([^\n*]+)")
_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
_SOUNDS = (".mp3", ".wav", ".ogg", ".flac", ".m4a")
_NOTHING = tuple(f"isf_nothing{n}" for n in range(4))  # each its own: an author may have two of them as arguments
_SOUND = "isf_sound"
_SPECTRUM = "isf_spectrum"
_SELF = "isf_self"  # the picture before this one
_GIVEN = frozenset({"iChannelTime", "iChannelResolution", *(f"iChannel{n}" for n in range(4))})
_MOUSE = Param("iMouse", "point2D", (0.0, 0.0), (0.0, 0.0), (1.0, 1.0), label="Mouse, 0..1; at 0, 0 no button is held")
# Names that no author has: a macro of his counts here too.
_AFTER = """\
void main() {
  vec4 isf_color = vec4(0.0, 0.0, 0.0, 1.0);
  %s
  isf_FragColor = %s;
}
"""
_SHOWN = "void main() { gl_FragColor = vec4(IMG_THIS_PIXEL(isf_self).rgb, 1.0); }\n"
# Bonzomatic's textures of one dimension are rows here.
_ROW = re.compile(r"\b(texture(?:1D)?|texelFetch(?:1D)?)(\s*\(\s*(?:texFFT\w*)\b)")
_ROWS = """\
vec4 isf_row(sampler2D row, float at) { return texture(row, vec2(at, 0.5)); }
vec4 isf_row_texel(sampler2D row, int at, int level) { return texelFetch(row, ivec2(at, 0), level); }
"""


@dataclass(frozen=True, slots=True)
class _Tab:
    """One of a shader's tabs.

    name      "image", "buffera" ...
    text      its GLSL, with the files it includes in it; common, that of the Common tab, likewise
    where     its file, for errors; files, all that it is made of
    channels  the word for each of its channels
    """

    name: str
    text: str
    common: str
    where: str
    files: tuple[str, ...]
    channels: tuple[str, ...]


def is_folder(path: Path) -> bool:
    """Whether this folder is one shader: it has an Image tab."""
    return path.is_dir() and "image" in _tabs(path)


def load(path: Path) -> ShaderSpec:
    """Read a file, or a folder of tabs. Raises Fault."""
    if not path.is_dir():
        return parse({"image": source.text(path)}, path.stem, path)
    files = _tabs(path)
    if "image" not in files:
        raise Fault(
            f"{path}: no image.glsl in this folder; expected the tabs of a shader: image.glsl, bufferA.glsl ..."
        )
    return parse({tab: source.text(file) for tab, file in files.items()}, path.name, path, files)


def _tabs(folder: Path) -> dict[str, Path]:
    found = {}
    for file in sorted(folder.iterdir()):
        tab = re.sub(r"[^a-z]", "", file.stem.lower()).replace("buf", "buffer").replace("bufferfer", "buffer")
        if file.suffix in (".glsl", ".frag") and tab in (*_TABS, "common") and file.is_file():
            found[tab] = file
    return found


def parse(
    texts: dict[str, str], name: str, path: Path | None = None, files: dict[str, Path] | None = None
) -> ShaderSpec:
    """Read a shader.

    Parameters
    ----------
    texts : dict[str, str]
        Tab ("image", "buffera" .. "bufferd", "common") -> GLSL.
    name : str
        By which presets call it.
    path : Path, optional
        Its file or folder: for errors, and for pictures beside it.
    files : dict[str, Path], optional
        The tabs' files, where it is a folder.

    Raises
    ------
    Fault
        What is wrong, where, and the likely mend, in one line.
    """
    where = {tab: str((files or {}).get(tab, path if path is not None else name)) for tab in texts}
    folder = path if path is not None and path.is_dir() else path.parent if path is not None else None
    notes: list[str] = []
    tabs = _read(texts, where, folder, notes)
    pictures = _pictures(tabs, folder, notes)
    written = tabs[0].common + "\n" + "\n".join(tab.text for tab in tabs)
    code = glsl.without_comments(written)
    variables, given = host_uniforms.variables(code)
    foreign = _foreign(code)
    given |= _GIVEN | set(foreign)
    knobs = uniform_params.read(written, given)
    words = {word for tab in tabs for word in tab.channels} | set(foreign.values())
    images = (("inputImage",) if words & {"image", "inputImage"} else ()) + knobs.images
    audio = tuple(
        AudioInput(of, True, 512, both=of == _SOUND)
        for of, wanted in ((_SOUND, "audio"), (_SPECTRUM, _SPECTRUM))
        if wanted in words
    )
    buffers = [_BUFFERS[tab.name] for tab in tabs if tab.name != "image"]
    unread = [word for word in CHANNELS[3:7] if word in words and word not in buffers]
    if unread:
        raise Fault(f"{where['image']}:1: a channel shows {unread[0]}, but there is no file {unread[0]}.glsl")
    recursive = _SELF in words
    samplers = [*images, *(a.name for a in audio), *buffers, *pictures.values(), *_NOTHING, *[_SELF] * recursive]
    uniforms = {**knobs.uniforms, "iMouse": "vec2"}
    shims = variables + knobs.shims + (_ROWS if _SPECTRUM in words else "")
    fragments = [
        _fragment(tab, pictures, uniforms, samplers, shims, given, foreign, raw=recursive or tab.name != "image")
        for tab in tabs
    ]
    passes = [Pass(_BUFFERS[tab.name], persistent=True, floating=True) for tab in tabs if tab.name != "image"]
    sources = [tab.files for tab in tabs]
    if recursive:  # the picture as it was drawn is kept, and shown by a pass of its own
        passes.append(Pass(_SELF, persistent=True, floating=True))
        fragments.append(glsl.fragment(_SHOWN, 1, {}, [_SELF]))
        sources.append((where["image"],))
    passes.append(Pass(None))
    vertex, wanted = glsl.plain_vertex("\n".join(fragments))
    if wanted:
        notes.append(f"{where['image']}: {', '.join(wanted)} of a vertex shader: the place on the picture is taken")
    return ShaderSpec(
        name=name,
        kind="filter" if "inputImage" in images else "source",
        description="",
        credit="",
        categories=("Shadertoy",),
        inputs=(_MOUSE, *knobs.params),
        images=images,
        audio=audio,
        passes=tuple(passes),
        buffers=_NOTHING,
        imported=tuple((sampler, file) for file, sampler in pictures.items()),
        fragment=fragments[-1],
        vertex=vertex,
        path=path,
        warnings=tuple(notes),
        fragments=tuple(fragments),
        sources=tuple(sources),
    )


def _read(texts: dict[str, str], where: dict[str, str], folder: Path | None, notes: list[str]) -> list[_Tab]:
    """The tabs that draw, with what they include. Raises Fault."""
    names = [tab for tab in _TABS if tab in texts]
    tabs = []
    for tab in names:
        included = Included([where[tab], where.get("common", where[tab])])
        text = included.expand(texts[tab], 1, folder)
        channels = _channels(tab, texts[tab], names, where[tab], included, notes)
        common = included.expand(texts["common"], 1, folder, 1) if "common" in texts else ""
        notes += [note for note in included.notes if note not in notes]
        tabs.append(_Tab(tab, text, common, where[tab], tuple(included.names), channels))
    return tabs


def _foreign(code: str) -> dict[str, str]:
    """Samplers that other programs feed, where the code declares them -> what is there instead."""
    feeds = {host_uniforms.LAST_PICTURE: _SELF, host_uniforms.PICTURE_BELOW: "inputImage"}
    feeds[host_uniforms.SPECTRUM] = _SPECTRUM
    declared = set(re.findall(r"\buniform\s+(?:(?:lowp|mediump|highp)\s+)?sampler[12]D\s+(\w+)", code))
    return {name: fed for names, fed in feeds.items() for name in names if name in declared}


def _fragment(
    tab: _Tab,
    pictures: dict[Path, str],
    uniforms: dict[str, str],
    samplers: list[str],
    shims: str,
    given: frozenset[str],
    foreign: dict[str, str],
    raw: bool,
) -> str:
    """The translated GLSL of one tab. Raises Fault where nothing in it draws."""
    shown = [_sampler(word, number, pictures) for number, word in enumerate(tab.channels)]
    standard = set(re.findall(r"\buniform\s+\w+\s+(\w+)", tab.common + tab.text))
    names = {word: name for word, name in glsl.ORDINARY.items() if word not in standard}
    names |= {"iMouse": f"iMouse{glsl.SUFFIX}", "main": "isf_main"} | foreign
    names |= {f"iChannel{number}": sampler for number, sampler in enumerate(shown)}
    text, call = drawing(tab.text, tab.common, tab.where)
    before = shims
    if re.search(r"\biChannelResolution\b", tab.common + text):
        sizes = ", ".join(f"vec3(vec2(textureSize({sampler}, 0)), 1.0)" for sampler in shown)
        before += f"vec3 iChannelResolution[4] = vec3[4]({sizes});\n"
    if re.search(r"\biChannelTime\b", tab.common + text):
        before += "float iChannelTime[4] = float[4](TIME, TIME, TIME, TIME);\n"
    if tab.common:
        common = OUTPUT.sub(r"\1 \2;", _rows(tab.common))
        common = glsl.translate(common, FILE_LINES + 1, uniforms, samplers, given, names)
        before += f"#line {FILE_LINES + 1}\n{common}\n"
    after = _AFTER % (call, "isf_color" if raw else "vec4(isf_color.rgb, 1.0)")
    return glsl.fragment(_rows(text), 1, uniforms, samplers, before, after, given, names)


def _rows(text: str) -> str:
    """Reads of Bonzomatic's one-dimensional textures as reads of rows."""
    text = re.sub(r"\bsampler1D\b", "sampler2D", text)
    return _ROW.sub(lambda match: ("isf_row_texel" if "Fetch" in match[1] else "isf_row") + match[2], text)


def _channels(
    tab: str, text: str, tabs: list[str], where: str, included: Included, notes: list[str]
) -> tuple[str, ...]:
    """What the tab's four channels show: as its comments or the editor's lines say, or else what is likely meant.

    In the Image tab the buffers there are, in order; in a buffer itself; in a file alone the sound, then the picture.
    """
    buffers = [_BUFFERS[name] for name in tabs if name != "image"]
    if tab != "image":
        words = [_BUFFERS[tab], "none", "none", "none"]
    elif buffers:
        words = (buffers + ["none"] * 4)[:4]
    else:
        words = ["audio", "none", "none", "none"]
    said = [(int(m[1]), m[2].strip(), text.count("\n", 0, m.start()) + 1) for m in _COMMENT.finditer(text)]
    said += [(number, word, 1) for number, word in included.channels.items() if number < len(words)]
    for number, written, line in said:
        word = _word(written, tab)
        if word is not None:
            words[number] = word
            continue
        notes.append(
            f"{where}:{line}: iChannel{number} shows {words[number]}: expected {', '.join(CHANNELS)} or a picture's "
            f"file name, got {written!r:.40}" + nearest(written, list(CHANNELS))
        )
    return tuple(words)


def _word(written: str, tab: str) -> str | None:
    """The word of CHANNELS, or the picture, that is meant; None where nothing is that is known here.

    Anybody may write behind a channel's name what is on his mind: `Source, filter=linear, wrap=clamp`.
    """
    known = {word.lower(): word for word in CHANNELS} | _SYNONYMS
    for part in (written, re.split(r"[,;(|]", written)[0]):
        plain = re.sub(r"[\s_]", "", part).lower()
        if plain == "self":
            return _BUFFERS.get(tab, _SELF)
        if plain in known:
            return known[plain]
    file = written.split()[0].strip("\"'") if written.split() else ""
    if file.lower().endswith(_SOUNDS):
        return "audio"
    return file if file.lower().endswith(_PICTURES) and "://" not in file else None


def _pictures(tabs: list[_Tab], folder: Path | None, notes: list[str]) -> dict[Path, str]:
    """Picture file -> sampler, for all that the channels name. Raises Fault for one outside the folder."""
    found: dict[Path, str] = {}
    for tab in tabs:
        for word in tab.channels:
            if word.lower().endswith(_PICTURES):
                file = source.beside(folder if folder is not None else Path(), word)
                if file is None:
                    raise Fault(f"{tab.where}:1: picture {word!r:.80} leaves the shader's folder; put it beside it")
                if file not in found and not source.is_there(file):
                    notes.append(f"{tab.where}: picture {word!r:.80} is not there; a plain one takes its place")
                found.setdefault(file, f"isf_picture{len(found)}")
    return found


def _sampler(word: str, number: int, pictures: dict[Path, str]) -> str:
    plain = {"audio": _SOUND, "image": "inputImage", "none": _NOTHING[number]}
    if word in plain:
        return plain[word]
    return next((sampler for file, sampler in pictures.items() if file.name == Path(word).name), word)
