"""Code in Shadertoy's manner: its variables, channels, buffers and tabs, looked at pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts.shader_play import MAIN, SIZE, play
from PIL import Image as Picture

from performer.content import shaders as isf
from performer.gl.render.program import Program
from performer.gl.render.texture import SoundTexture
from performer.gl.window.offscreen import Offscreen
from performer.system.errors import Fault
from performer.types.features import Sound


@pytest.fixture(scope="module")
def world():
    headless = Offscreen(SIZE)
    yield headless
    headless.close()


def write(folder, **tabs):
    folder.mkdir(exist_ok=True)
    for name, text in tabs.items():
        (folder / f"{name}.glsl").write_text(text)
    return folder


def test_the_variables(world, tmp_path):
    test = (
        "iResolution == vec3(32.0, 20.0, 1.0) && iTime == float(iFrame) * 0.25 && iDate == vec4(2026, 10, 21, 3600)"
        " && iSampleRate > 1.0 && iMouse == vec4(0.0) && iChannelTime[2] == iTime && fragCoord == gl_FragCoord.xy"
        " && iChannelResolution[0].x > 0.0 && (iFrame == 0 || iTimeDelta == 0.25)"
    )
    path = tmp_path / "one.glsl"
    path.write_text(
        f"#define R iResolution.xy\nuniform float speed; // = 0.5\n{MAIN} vec2 uv = fragCoord / R;\n"
        f" float sample = uv.x;\n fragColor = vec4(sample, speed, ({test}) ? 1.0 : 0.0, 0.0);\n}}\n"
    )
    spec = isf.load(path)
    assert spec.kind == "source" and [p.name for p in spec.inputs] == ["iMouse", "speed"]
    pictures = play(world, spec)
    for picture in pictures:
        assert picture[..., 2].min() == 1.0 and picture[..., 3].min() == 1.0
        assert abs(picture[..., 1] - 0.5).max() < 0.01 and picture[:, -1, 0].min() > 0.95
    path.write_text(MAIN + "fragColor = vec4(iMouse.x == 16.0 && iMouse.w == 10.0 && iMouse.z > 0.0); }")
    assert play(world, isf.load(path), params={"n.iMouse": (0.5, 0.5)})[0].min() == 1.0


def test_the_sound_is_512_by_2(world, tmp_path):
    path = tmp_path / "sound.glsl"
    path.write_text(
        MAIN + "ivec2 size = textureSize(iChannel0, 0);\n"
        " float low = texelFetch(iChannel0, ivec2(2, 0), 0).x;\n"
        " float wave = texture(iChannel0, vec2(0.5, 0.75)).x;\n"
        " fragColor = vec4(low, wave, size == ivec2(512, 2) ? 1.0 : 0.0, 1.0); }"
    )
    spec = isf.load(path)
    assert spec.audio[0].both
    texture = SoundTexture(world.ctx, spec.audio[0])
    spectrum = np.zeros(512, np.float32)
    spectrum[1] = 0.8
    texture.show(Sound(np.full(1024, 0.5, np.float32), spectrum), 0)
    picture = play(world, spec, 1, textures={spec.audio[0].name: texture.texture})[0]
    assert np.allclose(picture[5, 5], (0.8, 0.75, 1.0, 1.0), atol=0.01)


def test_buffers_remember_and_read_each_other(world, tmp_path):
    folder = write(
        tmp_path / "toy",
        common="#define STEP 0.25\nfloat twice(float x) { return x * 2.0; }\n",
        image=MAIN + "fragColor = texture(iChannel1, fragCoord / iResolution.xy); }",
        bufferA=MAIN + "fragColor = texelFetch(iChannel0, ivec2(fragCoord), 0) + vec4(STEP, 100.0, 0.0, 1.0); }",
        Buf_B="// iChannel0: bufferA\n" + MAIN + "vec4 a = texture(iChannel0, fragCoord / iResolution.xy);"
        " fragColor = vec4(twice(a.x), a.y / 1000.0, 0.0, 1.0); }",
    )
    spec = isf.load(folder)
    assert spec.name == "toy" and [p.target for p in spec.passes] == ["bufferA", "bufferB", None]
    pictures = play(world, spec, 2)
    assert np.allclose(pictures[0][3, 3], (0.5, 0.1, 0.0, 1.0), atol=0.01)
    assert np.allclose(pictures[1][3, 3], (1.0, 0.2, 0.0, 1.0), atol=0.01)
    assert list(isf.files(tmp_path)) == [folder] and isf.owner(folder / "Buf_B.glsl") == folder


def test_pictures_and_what_lies_below(world, tmp_path):
    Picture.new("RGB", (4, 4), (255, 0, 0)).save(tmp_path / "red.png")
    path = tmp_path / "mix.glsl"
    path.write_text(
        "// iChannel0: image\n// iChannel1: red.png\n"
        + MAIN
        + "fragColor = texture(iChannel0, vec2(0.5)) + texture(iChannel1, vec2(0.5)); }"
    )
    spec = isf.load(path)
    assert spec.kind == "filter" and spec.images == ("inputImage",)
    assert spec.imported == (("isf_picture0", tmp_path / "red.png"),)
    blue = world.ctx.texture((1, 1), 4, bytes([0, 0, 255, 255]))
    red = world.ctx.texture((1, 1), 4, bytes([255, 0, 0, 255]))
    picture = play(world, spec, 1, textures={"inputImage": blue, "isf_picture0": red})[0]
    assert np.allclose(picture[0, 0], (1, 0, 1, 1))


@pytest.mark.parametrize(
    ("channel", "words"),
    [
        ("../x.png", "leaves"),
        ("/etc/x.png", "leaves"),
        ("bufferC", "no file bufferC"),
    ],
)
def test_channels_that_cannot_be_had(tmp_path, channel, words):
    path = tmp_path / "x.glsl"
    path.write_text(f"// iChannel1: {channel}\n{MAIN} fragColor = vec4(1.0); }}")
    with pytest.raises(Fault, match=words):
        isf.load(path)


def test_errors_name_file_and_line_of_the_tab(world, tmp_path):
    image = MAIN + " fragColor = vec4(f(1.0));\n}\n"
    good = "float f(float x) { return x; }\n"
    for name, tabs, words in (
        ("a", {"image": image, "common": good + "\nfloat g() { return bad; }\n"}, r"common\.glsl:3: .*bad"),
        ("b", {"image": image + "\nbad;\n", "common": good}, r"image\.glsl:5: "),
        ("c", {"image": image, "common": good, "bufferA": "\n" + MAIN + "\n bad();\n}"}, r"bufferA\.glsl:4: .*bad"),
    ):
        with pytest.raises(Fault, match=words):
            Program(world.ctx, isf.load(write(tmp_path / name, **tabs)))
    with pytest.raises(Fault, match=r"image\.glsl:1: no mainImage"):
        isf.load(write(tmp_path / "d", image="void main() {}"))


@given(
    st.dictionaries(
        st.sampled_from(["image", "common", "buffera", "bufferd"]),
        st.text(alphabet="/ iChanel0123:=audobfrABCDgpn.\n{}();#", max_size=60),
        max_size=4,
    )
)
def test_any_tabs_are_read_or_refused(tabs):
    texts = {"image": "", **tabs}
    try:
        spec = isf.shadertoy.parse({tab: text + "\n" + MAIN + "}" for tab, text in texts.items()}, "any")
    except Fault as fault:
        assert "\n" not in str(fault)
        return
    assert len(spec.fragments) == len(spec.passes) == len(spec.sources) == len(set(texts) - {"common"})
