"""Names with accents and other letters work wherever the locale or the terminal knows none of them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from parts.patience import PATIENCE_S

from performer.system.sandbox import ask

ROOT = Path(__file__).resolve().parents[2]
PLAIN = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
POOR = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}  # paths are bytes it cannot read


def run(home: Path, where: dict[str, str], *command: str) -> tuple[int, str, str]:
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in ("LANG", "LC_CTYPE", "PYTHONUTF8", "PYTHONIOENCODING")
    }
    done = subprocess.run(
        [sys.executable, *command],
        cwd=home,
        capture_output=True,
        timeout=PATIENCE_S,
        env={
            **kept,
            "HOME": str(home),
            "XDG_DATA_HOME": str(home),
            "XDG_CACHE_HOME": str(home),
            "PYTHONPATH": str(ROOT),
            **where,
        },
    )
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


@pytest.fixture
def star(tmp_path):
    folder = tmp_path / "modèles"
    folder.mkdir()
    shutil.copy(ROOT / "models" / "molten.onnx", folder / "étoile.onnx")
    return folder / "étoile.onnx"


def test_a_model_with_accents_is_imported_and_checked_on_a_plain_terminal(star, tmp_path):
    rc, out, err = run(
        tmp_path,
        PLAIN,
        "-m",
        "performer",
        "models",
        "import",
        str(star),
        "--name",
        "etoile",
        "--to",
        str(star.parent / "eigene"),
        "--licence",
        "CC0-1.0",
    )
    assert rc == 0, err
    assert r"mod\xe8les/eigene/etoile.onnx: latent of 64" in out
    rc, out, err = run(tmp_path, PLAIN, "-m", "performer", "check", str(star.parent / "eigene" / "etoile.onnx"))
    assert rc == 0 and out.startswith("ok   model") and "Traceback" not in err
    rc, out, err = run(tmp_path, PLAIN, "-m", "performer", "check", str(star.parent / "nié.onnx"))
    assert rc == 2 and err.startswith("performer: ") and r"ni\xe9.onnx: no such file" in err


def test_a_model_is_tried_aside_whatever_the_locale_makes_of_its_path(star, tmp_path):
    rc, out, err = run(
        tmp_path,
        POOR,
        "-c",
        "import sys; from pathlib import Path; from performer.generators.tools import "
        "probe; print(probe.probe(Path(sys.argv[1])).card['latent'])",
        str(star),
    )
    assert (rc, out) == (0, "64\n"), err


def test_what_libraries_print_by_the_way_is_no_answer_and_no_fault(tmp_path, monkeypatch):
    (tmp_path / "noisy.py").write_text(
        "import os\nfrom performer.system.sandbox import answer\n"
        "def body():\n    os.write(1, b'caf\\xe9: no letters')\n    os.write(2, b'\\xff\\xfe\\xe9')\n"
        "    answer(lambda words: {'heard': words['path']}, 1 << 33)\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert ask("noisy:body", Path("é"), {"path": "é ☂"}, 60.0, "too long") == {"heard": "é ☂"}
