"""The wheel: it holds all that plays, nothing that does not, and works away from the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling")

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)], cwd=ROOT, check=True)
    (path,) = out.glob("performer-*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as opened:
        return set(opened.namelist())


def test_it_holds_all_content_and_data(names: set[str]):
    for kind in ("shaders", "models", "presets"):
        for path in (ROOT / kind).iterdir():
            if path.suffix in (".fs", ".onnx", ".toml", ".npz"):
                assert f"performer/factory/{kind}/{path.name}" in names, path
    for path in (ROOT / "performer").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert str(path.relative_to(ROOT)) in names, path
    assert "performer/audio/beats.onnx" in names and "performer/io/page/static/index.html" in names
    assert "performer/py.typed" in names and any(name.endswith("licenses/LICENSE") for name in names)


def test_it_holds_nothing_else_and_its_data_is_no_room(names: set[str]):
    rooms = {name.split("/")[1] for name in names if name.startswith("performer/") and name.count("/") > 1}
    assert rooms - {path.name for path in (ROOT / "performer").iterdir()} == {"factory"}
    assert not any(name.endswith((".pyc", ".ckpt")) or name.startswith(("tests", "docs")) for name in names)
    assert not any(name.endswith(".py") for name in names if name.startswith("performer/factory/"))


def test_it_is_installed_and_checks_its_content(wheel: Path, tmp_path: Path):
    """In an environment that has the packages it needs, from a folder far from the checkout."""
    place = tmp_path / "site"
    install = ["install", "--quiet", "--no-deps", "--no-index", "--target", str(place), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *install], check=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith("XDG")}
    env |= {"PYTHONPATH": str(place), "HOME": str(tmp_path)}

    def performer(*words: str) -> str:
        command = [sys.executable, "-m", "performer", *words]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    code = "import performer.content.library as l; print(l.FACTORY)"
    where = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert where.stdout.strip() == str(place / "performer" / "factory"), where.stderr
    assert "0.1" in performer("--version")
    told = performer("check", "tidal", "words")
    assert told.count("ok ") == 2 and "FAIL" not in told
