"""The command line as a stranger meets it: bad input is one clear line and exit 2; every command has an example."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from performer.cli.main import main

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> tuple[int, str]:
    """Exit code of a command in this process; its output is captured by capsys."""
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    return stop.value.code


def tone(path: Path, seconds: float = 1.0, rate: int = 44100) -> Path:
    t = np.arange(int(seconds * rate)) / rate
    soundfile.write(path, 0.4 * np.sin(2 * np.pi * 220 * t), rate)
    return path


@pytest.mark.parametrize("command", ["play", "render", "analyse", "check", "calibrate", "devices", "doctor", "bench"])
def test_every_command_explains_itself_with_an_example(command, capsys):
    assert run(command, "--help") == 0
    text = capsys.readouterr().out
    assert f"Example: performer {command}" in " ".join(text.split())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["render", "missing.ogg", "out.mp4"], "missing.ogg"),
        (["analyse", "missing.ogg"], "missing.ogg"),
        (["render", "demo", "out.mp4", "--preset", "tidle"], "no preset 'tidle'"),
        (["render", "demo", "out.mp4", "--preset", "gone.toml"], "gone.toml: no such preset file"),
        (["render", "demo", "/proc/nowhere/out.mp4", "--seconds", "0.1"], "/proc/nowhere"),
        (["render", "demo", "out.xyz", "--seconds", "0.1"], "out.xyz"),
        (["render", "demo", "out.mp4", "--size", "12by9"], "--size '12by9': expected WIDTHxHEIGHT"),
        (["check", "nowhere/at/all"], "nowhere/at/all: no such file or folder"),
        (["check", "."], ".: nothing to check there: no shaders"),
        (["analyse", "demo", "--json", "/proc/nowhere/a.json"], "/proc/nowhere/a.json: cannot write there: no folder"),
        (["bench", "beats", "songs", "--json", "/proc/nowhere/a.json"], "/proc/nowhere/a.json: cannot write there"),
        (["play", "--headless", "--seconds", "0.1", "--input", "no such card"], "no such card"),
        (
            ["play", "--headless", "--seconds", "0.1", "--input", "demo", "--stats", "/proc/nowhere/s.json"],
            "/proc/nowhere",
        ),
        (
            ["play", "--headless", "--seconds", "0.1", "--input", "demo", "--record", "/proc/nowhere/r.mp4"],
            "/proc/nowhere",
        ),
        (["play", "nosuch", "--headless", "--seconds", "0.1", "--input", "demo"], "no preset 'nosuch'"),
        (["play", "--headless", "--seconds", "0.1", "--input", "demo", "--provider", "cuda"], "CUDA"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("performer: ")]
    assert len(lines) == 1 and says in lines[0]
    assert not list(tmp_path.glob("out.*")), "nothing is left behind"


def test_a_traceback_only_with_debug():
    plain = subprocess.run([sys.executable, "-m", "performer", "analyse", "gone.wav"], capture_output=True, text=True)
    assert plain.returncode == 2 and "Traceback" not in plain.stderr and len(plain.stderr.strip().splitlines()) == 1
    loud = subprocess.run(
        [sys.executable, "-m", "performer", "analyse", "gone.wav", "--debug"], capture_output=True, text=True
    )
    assert loud.returncode != 0 and "Traceback" in loud.stderr


def test_analyse_writes_what_it_heard(tmp_path, capsys):
    rate, bpm = 44100, 120.0
    t = np.arange(12 * rate) / rate
    clicks = np.exp(-(t % (60 / bpm)) * 60) * np.sin(2 * np.pi * 1000 * t) * 0.7
    soundfile.write(tmp_path / "click.wav", clicks, rate)
    assert run("analyse", str(tmp_path / "click.wav"), "--json", str(tmp_path / "click.json")) == 0
    heard = json.loads((tmp_path / "click.json").read_text())
    assert set(heard) == {"audio_s", "cpu_s", "hop_s", "beats", "downbeats", "tempo", "onsets"}
    assert heard["audio_s"] == pytest.approx(12.0, abs=0.02) and heard["hop_s"] <= 0.006
    assert heard["tempo"][-1]["bpm"] == pytest.approx(120, abs=1.5)
    assert 20 <= len(heard["onsets"]) <= 26
    assert all(onset["emitted"] >= onset["t"] - 0.001 for onset in heard["onsets"])
    late = [beat["t"] for beat in heard["beats"] if beat["t"] > 6]
    assert late and max(abs((b * 2 + 0.5) % 1 - 0.5) for b in late) < 0.08


def broken_content(folder: Path) -> None:
    import shutil

    good = next((ROOT / "models").glob("*.toml"))
    shutil.copy(good, folder / "truncated.toml")
    (folder / "truncated.onnx").write_bytes(good.with_suffix(".onnx").read_bytes()[:5000])
    (folder / "broken.fs").write_text('/*{"ISFVSN":"2"}*/\nvoid main() {\n  gl_FragColor = vec3(1.0) + nonsense;\n}\n')
    (folder / "wrong.toml").write_text("[[layer]]\nmodel = 3\n")
    (folder / "fine.fs").write_text(
        '/*{"ISFVSN":"2"}*/\nvoid main() { gl_FragColor = vec4(isf_FragNormCoord, 0.5, 1.0); }'
    )


def nan_model(folder: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("ReduceSum", ["z"], ["s"], keepdims=1),
        helper.make_node("Sub", ["s", "s"], ["zero"]),
        helper.make_node("Div", ["zero", "zero"], ["nan"]),
        helper.make_node("Reshape", ["nan", "one"], ["r"]),
        helper.make_node("Expand", ["r", "shape"], ["image"]),
    ]
    graph = helper.make_graph(
        nodes,
        "nan",
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 8])],
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 16, 16])],
        [
            helper.make_tensor("one", TensorProto.INT64, [4], [1, 1, 1, 1]),
            helper.make_tensor("shape", TensorProto.INT64, [4], [1, 3, 16, 16]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.save(model, folder / "nan.onnx")
    (folder / "nan.toml").write_text('title = "NaN"\nkind = "gan"\nlatent = 8\nsize = [16, 16]\nlicence = "CC0-1.0"\n')


def test_check_tells_good_from_broken(tmp_path, capsys):
    broken_content(tmp_path)
    nan_model(tmp_path)
    pictures = tmp_path / "pictures"
    code = run("check", str(tmp_path), "--json", str(tmp_path / "report.json"), "--pictures", str(pictures))
    assert code == 1
    rows = {Path(row["path"]).name: row for row in json.loads((tmp_path / "report.json").read_text())}
    assert {name: (row["kind"], row["ok"]) for name, row in rows.items()} == {
        "truncated.onnx": ("model", False),
        "broken.fs": ("shader", False),
        "wrong.toml": ("preset", False),
        "nan.onnx": ("model", False),
        "fine.fs": ("shader", True),
    }
    assert "broken.fs:3" in rows["broken.fs"]["error"]
    assert "model" in rows["wrong.toml"]["error"] and "NaN" in rows["nan.onnx"]["error"]
    assert rows["fine.fs"]["error"] is None and (pictures / "fine.png").is_file()
    assert all("\n" not in (row["error"] or "") for row in rows.values())


def test_check_takes_names_as_play_does_tells_each_row_at_once_and_counts_at_the_end(capsys):
    assert run("check", "aurora", "puppeteer") == 0
    lines = capsys.readouterr().out.splitlines()
    checked = {(line.split()[1], Path(line.split()[2]).name) for line in lines[:-1] if line.startswith("ok")}
    assert checked == {("shader", "aurora.fs"), ("preset", "aurora.toml"), ("follower", "puppeteer.follower.onnx")}
    assert lines[-1] == "3 checked: 3 ok"
    assert run("check", "aurroa") == 2
    assert "no such file, preset, shader or model; did you mean 'aurora'?" in capsys.readouterr().err
    assert run("check", "x" * 300) == 2


def test_check_counts_what_failed_and_what_has_notes():
    from performer.rig.check import summary

    rows = [{"ok": True, "warnings": []}, {"ok": True, "warnings": ["loose"]}, {"ok": False, "warnings": []}]
    assert summary(rows) == "3 checked: 2 ok, 1 failed, 1 with notes"


def test_devices_are_listed_as_json(capsys):
    assert run("devices", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert {"inputs", "outputs", "midi", "monitors"} <= set(found)


def test_doctor_names_every_part(capsys):
    run("doctor")
    text = capsys.readouterr().out
    for part in ("python", "sound", "midi", "drawing", "models", "content", "keeping", "disk"):
        assert part in text
    assert "Traceback" not in text


def test_doctor_tells_that_nothing_can_be_kept(tmp_path, monkeypatch):
    from performer.cli import doctor
    from performer.rig.calibration import settings_file
    from performer.system import folders

    monkeypatch.setattr(settings_file, "calibration_path", lambda: tmp_path / "settings" / "calibration.toml")
    (tmp_path / "file").write_text("no folder")
    for folder, ok in ((tmp_path / "data", True), (tmp_path / "file" / "data", False)):
        monkeypatch.setattr(folders, "data", lambda folder=folder: folder)
        (finding,) = doctor._keeping()
        assert finding.ok is ok and not folder.exists() and (ok or "cannot be written" in finding.note)


def test_check_profiles_shaders_and_tells_what_it_let_pass(tmp_path, capsys):
    (tmp_path / "loose.fs").write_text(
        '/*{"PASSES": [{"TARGET": "a"}, {}],}*/\nvoid main() { gl_FragColor = vec4(1.0); }'
    )
    (tmp_path / "wipe.glsl").write_text(
        "vec4 transition(vec2 p) { return mix(getFromColor(p), getToColor(p), progress); }"
    )
    report = tmp_path / "report.json"
    assert run("check", str(tmp_path), "--profile", "--json", str(report)) == 0
    rows = {Path(row["path"]).name: row for row in json.loads(report.read_text())}
    assert len(rows["loose.fs"]["profile"]["passes_ms"]) == 2 and len(rows["wipe.glsl"]["profile"]["passes_ms"]) == 1
    assert all(row["profile"]["ms"] == pytest.approx(sum(row["profile"]["passes_ms"])) for row in rows.values())
    said = capsys.readouterr().out
    assert "1080p: " in said and "trailing commas" in said


def test_a_model_that_could_not_be_saved_is_not_trained(tmp_path, capsys):
    pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    pytest.importorskip("tensorboardX")
    (tmp_path / "file").write_text("")
    assert run("train", "vae", "--source", "forms", "--steps", "2", "-o", str(tmp_path / "file" / "m.onnx")) == 2
    assert "m.onnx: cannot make this folder" in capsys.readouterr().err


def test_the_version_is_told_and_nothing_heavy_is_loaded_for_it_or_for_a_help():
    code = (
        "import sys; from performer.cli.main import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(*{'numpy', 'scipy', 'moderngl', 'onnxruntime', 'av', 'sounddevice'} & set(sys.modules), file=sys.stderr)"
    )
    for words in (["--version"], ["play", "--help"], ["models", "--help"], ["train", "--help"]):
        done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
        assert done.stdout and not done.stderr.strip(), f"{words}: {done.stderr}"
    assert run("--version") == 0


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("presets", ["tidal", "words"]),
        ("shaders", ["aurora", "bloom", "whip_pan", "transition"]),
        ("sources", ["audio.bass", "audio.chroma_cs", "beat.pulse", "midi.cc74", "lfo.0.25", "time"]),
        ("models", ["molten", "puppeteer"]),
    ],
)
def test_what_there_is_is_listed(what, names, capsys):
    assert run(what) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in names)


def test_every_listed_source_is_one_and_every_one_is_listed():
    from performer.audio.features import FEATURES
    from performer.cli.lists import SOURCES
    from performer.types.routes import BEAT, COUNTS, MIDI, complaint

    assert not [name for name in SOURCES if complaint(name, list(FEATURES))]
    assert {*BEAT, *COUNTS, *MIDI} <= set(SOURCES)


def test_a_plot_is_drawn_without_json_and_both_come_when_both_are_asked_for(tmp_path, capsys):
    song, plot = tone(tmp_path / "tone.wav"), tmp_path / "tone.png"
    assert run("analyse", str(song), "--plot", str(plot)) == 0
    told = capsys.readouterr()
    assert told.out == "" and f"plot: {plot}" in told.err and plot.is_file()
    assert run("analyse", str(song), "--plot", str(plot), "--json", "-") == 0
    assert json.loads(capsys.readouterr().out)["audio_s"] == pytest.approx(1.0, abs=0.02)
    assert run("analyse", str(song)) == 0
    assert json.loads(capsys.readouterr().out)["audio_s"] == pytest.approx(1.0, abs=0.02)
