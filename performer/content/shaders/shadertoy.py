"""Code in the manner of https://www.shadertoy.com: one file with mainImage, or a folder of Image, Buffer A-D, Common.

What a channel shows is said in a comment, `// iChannel0: audio`; see `CHANNELS`. Only a shim around the author's code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from performer.content.shaders import files as source
from performer.content.shaders import glsl, uniform_params
from performer.content.shaders.spec import FILE_LINES, AudioInput, Pass, ShaderSpec
from performer.system.errors import Fault, nearest
from performer.types.params import Param

ENTRY = re.compile(r"\bvoid\s+mainImage\s*\(")
#: What `// iChannelN: WORD` may say, besides the name of a picture file in the same folder.
CHANNELS = ("audio", "image", "self", "bufferA", "bufferB", "bufferC", "bufferD", "none")
_TABS = ("buffera", "bufferb", "bufferc", "bufferd", "image")
_BUFFERS = {tab: f"buffer{tab[-1].upper()}" for tab in _TABS[:4]}
_COMMENT = re.compile(r"(?://|/\*|\*)[ \t]*iChannel([0-3])[ \t]*[:=][ \t]*([^\n*]+)")
_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
_NOTHING = "isf_nothing"
_SOUND = "isf_sound"
_GIVEN = frozenset(
    {
        "iResolution",
        "iTime",
        "iTimeDelta",
        "iFrame",
        "iFrameRate",
        "iMouse",
        "iDate",
        "iSampleRate",
        "iChannelTime",
        "iChannelResolution",
        *(f"iChannel{n}" for n in range(4)),
    }
)
_MOUSE = Param("iMouse", "point2D", (0.0, 0.0), (0.0, 0.0), (1.0, 1.0), label="Mouse, 0..1; at 0, 0 no button is held")
_BEFORE = """\
#define iResolution vec3(RENDERSIZE, 1.0)
#define iTime TIME
#define iGlobalTime TIME
#define iTimeDelta TIMEDELTA
#define iFrame FRAMEINDEX
#define iFrameRate (1.0 / max(TIMEDELTA, 0.0001))
#define iDate vec4(DATE.x, DATE.y - 1.0, DATE.zw)
#define iSampleRate 48000.0
#define iMouse vec4(iMouse * RENDERSIZE, iMouse * RENDERSIZE)
vec3 iChannelResolution[4];
float iChannelTime[4];
"""
_AFTER = """\
void main() {
  iChannelTime = float[4](TIME, TIME, TIME, TIME);
  iChannelResolution = vec3[4](%s);
  vec4 color = vec4(0.0, 0.0, 0.0, 1.0);
  mainImage(color, gl_FragCoord.xy);
  isf_FragColor = %s;
}
"""


@dataclass(frozen=True, slots=True)
class _Tab:
    """One of a shader's tabs: name ("image", "buffera", ...), text, file, and the word for each of its channels."""

    name: str
    text: str
    where: str
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

    texts  tab ("image", "buffera" .. "bufferd", "common") -> GLSL
    name   by which presets call it
    path   its file or folder: for errors, and for pictures beside it
    files  the tabs' files, where it is a folder
    Raises Fault.
    """
    where = {tab: str((files or {}).get(tab, path if path is not None else name)) for tab in texts}
    common = texts.get("common", "")
    names = [tab for tab in _TABS if tab in texts]
    tabs = [_Tab(tab, texts[tab], where[tab], _channels(tab, texts[tab], names, where[tab])) for tab in names]
    for tab in tabs:
        if ENTRY.search(tab.text) is None:
            raise Fault(f"{tab.where}:1: no mainImage; expected void mainImage(out vec4 fragColor, in vec2 fragCoord)")
    knobs = uniform_params.read(common + "".join(tab.text for tab in tabs), _GIVEN)
    folder = path if path is not None and path.is_dir() else path.parent if path is not None else None
    pictures, warnings = _pictures(tabs, folder)
    words = {word for tab in tabs for word in tab.channels}
    images = (("inputImage",) if "image" in words else ()) + knobs.images
    audio = (AudioInput(_SOUND, True, 512, both=True),) if "audio" in words else ()
    buffers = [_BUFFERS[tab.name] for tab in tabs if tab.name != "image"]
    samplers = [*images, *(a.name for a in audio), *buffers, *pictures.values(), _NOTHING]
    uniforms = {**knobs.uniforms, "iMouse": "vec2"}
    lines = [text for tab, text in texts.items() if tab == "common"]
    fragments = []
    for tab in tabs:
        shims = (
            _BEFORE
            + knobs.shims
            + "".join(
                f"#define iChannel{n} {_sampler(word, tab.name, pictures)}\n" for n, word in enumerate(tab.channels)
            )
        )
        shims += "".join(
            f"#line {FILE_LINES + 1}\n{glsl.translate(text, FILE_LINES + 1, uniforms, samplers, _GIVEN)}\n"
            for text in lines
        )
        sizes = ", ".join(f"vec3(vec2(textureSize(iChannel{n}, 0)), 1.0)" for n in range(4))
        result = "vec4(color.rgb, 1.0)" if tab.name == "image" else "color"
        fragments.append(glsl.fragment(tab.text, 1, uniforms, samplers, shims, _AFTER % (sizes, result), _GIVEN))
    passes = tuple(
        Pass(None) if tab.name == "image" else Pass(_BUFFERS[tab.name], persistent=True, floating=True) for tab in tabs
    )
    unread = [word for word in CHANNELS[3:7] if word in words and word not in buffers]
    if unread:
        raise Fault(f"{where['image']}:1: a channel shows {unread[0]}, but there is no file {unread[0]}.glsl")
    return ShaderSpec(
        name,
        "filter" if "image" in words else "source",
        "",
        "",
        ("Shadertoy",),
        (_MOUSE, *knobs.params),
        images,
        audio,
        passes,
        (_NOTHING,),
        tuple((sampler, file) for file, sampler in pictures.items()),
        fragments[-1],
        glsl.VERTEX_SOURCE,
        path=path,
        warnings=tuple(warnings),
        fragments=tuple(fragments),
        sources=tuple((tab.where, where.get("common", tab.where)) for tab in tabs),
    )


def _channels(tab: str, text: str, tabs: list[str], where: str) -> tuple[str, ...]:
    """What the tab's four channels show: as its comments say, or else what is likely meant.

    In the Image tab the buffers there are, in order; in a buffer itself; in a file alone the sound, then the picture.
    """
    buffers = [_BUFFERS[name] for name in tabs if name != "image"]
    if tab != "image":
        words = [_BUFFERS[tab], "none", "none", "none"]
    elif buffers:
        words = (buffers + ["none"] * 4)[:4]
    else:
        words = ["audio", "none", "none", "none"]
    for match in _COMMENT.finditer(text):
        words[int(match[1])] = _word(match[2].strip(), tab, where, text.count("\n", 0, match.start()) + 1)
    return tuple(words)


def _word(written: str, tab: str, where: str, line: int) -> str:
    plain = re.sub(r"[\s_]", "", written).lower()
    known = {word.lower(): word for word in CHANNELS} | {
        "sound": "audio",
        "music": "audio",
        "mic": "audio",
        "microphone": "audio",
        "fft": "audio",
        "input": "image",
        "video": "image",
        "webcam": "image",
        "camera": "image",
        "inputimage": "image",
        "keyboard": "none",
        "bufa": "bufferA",
        "bufb": "bufferB",
        "bufc": "bufferC",
        "bufd": "bufferD",
    }
    if plain == "self":
        return _BUFFERS.get(tab, "none")
    if plain in known:
        return known[plain]
    file = written.split()[0].strip("\"'") if written.split() else ""
    if file.lower().endswith(_PICTURES):
        return file
    raise Fault(
        f"{where}:{line}: iChannel: expected {', '.join(CHANNELS)} or a picture's file name, "
        f"got {written!r:.40}" + nearest(written, list(CHANNELS))
    )


def _pictures(tabs: list[_Tab], folder: Path | None) -> tuple[dict[Path, str], list[str]]:
    """Picture file -> sampler, for all that the channels name. Raises Fault for one outside the folder."""
    found: dict[Path, str] = {}
    warnings = []
    for tab in tabs:
        for word in tab.channels:
            if word.lower().endswith(_PICTURES):
                file = source.beside(folder if folder is not None else Path(), word)
                if file is None:
                    raise Fault(f"{tab.where}:1: picture {word!r:.80} leaves the shader's folder; put it beside it")
                if file not in found and not source.is_there(file):
                    warnings.append(f"{tab.where}: picture {word!r:.80} is not there; a plain one takes its place")
                found.setdefault(file, f"isf_picture{len(found)}")
    return found, warnings


def _sampler(word: str, tab: str, pictures: dict[Path, str]) -> str:
    plain = {"audio": _SOUND, "image": "inputImage", "none": _NOTHING}
    if word in plain:
        return plain[word]
    return next((sampler for file, sampler in pictures.items() if file.name == Path(word).name), word)
