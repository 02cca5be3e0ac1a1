"""`./run` in a checkout whose Python writes down what it is asked: no package is installed here."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = """#!/bin/sh
printf '%s\\n' "in $PWD" >>"{log}"
for word in "$@"; do printf '%s\\n' "$word" >>"{log}"; done
echo . >>"{log}"
"""


class Checkout:
    """A copy of `run` with stand-ins for the programs that it calls; `called` holds what Python was asked to do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "check out"
        self.home = folder / "home"
        self.elsewhere = folder / "songs of mine"
        self.log = folder / "log"
        programs = folder / "bin"
        for made in (self.folder / ".venv/bin", self.home, self.elsewhere, programs):
            made.mkdir(parents=True)
        for name in ("run", "pyproject.toml", ".constraints.txt"):
            shutil.copy(ROOT / name, self.folder / name)
        self._program(self.folder / ".venv/bin/python", PYTHON.format(log=self.log))
        self._program(programs / "dpkg-query", "#!/bin/sh\necho install ok installed\n")
        self._program(programs / "ldconfig", "#!/bin/sh\necho libportaudio\n")
        self.path = f"{programs}:{os.defpath}"

    def _program(self, path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)

    def run(
        self, *words: str, path: str = "", start: Path | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        self.log.write_text("")
        known = {"HOME": str(self.home), "PATH": f"{path}{self.path}"}
        return subprocess.run(
            [str(start or self.folder / "run"), *words],
            cwd=cwd or self.elsewhere,
            env=known,
            capture_output=True,
            text=True,
        )

    @property
    def called(self) -> list[list[str]]:
        return [block.strip("\n").split("\n") for block in self.log.read_text().split("\n.\n") if block.strip()]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    if os.name == "nt":
        pytest.skip("run is a shell script")
    return Checkout(tmp_path)


def test_the_callers_folder_stays_and_words_pass_unchanged(checkout: Checkout) -> None:
    done = checkout.run("render", "my song.ogg", "out.mp4", "--preset", "* $HOME")
    assert done.returncode == 0, done.stderr
    show = checkout.called[-1]
    program = str(checkout.folder / ".venv/bin/performer")
    assert show == [f"in {checkout.elsewhere}", program, "render", "my song.ogg", "out.mp4", "--preset", "* $HOME"]


def test_without_a_word_it_plays(checkout: Checkout) -> None:
    checkout.run()
    assert checkout.called[-1][-1] == "play"


@pytest.mark.parametrize(
    ("words", "extras"),
    [
        (["play"], ""),
        (["play", "--page"], "page"),
        (["play", "--page=80", "--link"], "link,page"),
        (["play", "--page-host", "0.0.0.0"], ""),
        (["train", "gan", "stones", "--minutes", "1"], "train"),
        (["train", "gan", "--help"], ""),
        (["train", "moves", "song.ogg", "a.mid", "-o", "a.npz"], ""),
        (["evaluate", "molten"], "train"),
        (["models", "explore", "molten", "--taught"], "train"),
        (["models", "explore", "molten"], ""),
        (["models", "import", "stones.safetensors"], "weights"),
        (["models", "import", "stones.onnx"], ""),
        (["render", "demo", "out.mp4", "--provider", "cuda"], "cuda"),
        (["render", "cuda", "out.mp4"], ""),
    ],
)
def test_a_command_gets_the_extras_that_it_needs(checkout: Checkout, words: list[str], extras: str) -> None:
    installed, show = checkout.run(*words) and checkout.called
    held = installed[-1].removeprefix(str(checkout.folder)).strip("[]")
    assert set(held.split(",")) - {"cuda", ""} == set(extras.split(",")) - {"cuda", ""}
    assert "cuda" in held or "cuda" not in extras  # and where a card is, it comes unasked
    assert show[2:] == words
    checkout.run(*words)
    assert len(checkout.called) == 1, "the second time nothing is installed"


def test_a_later_extra_is_installed_and_a_change_of_what_is_needed_too(checkout: Checkout) -> None:
    checkout.run("play")
    checkout.run("play", "--page")
    assert "page" in checkout.called[0][-1] and len(checkout.called) == 2
    with (checkout.folder / ".constraints.txt").open("a") as constraints:
        constraints.write("# newer\n")
    checkout.run("play")
    assert len(checkout.called) == 2


def test_an_install_that_failed_is_said_and_tried_again(checkout: Checkout) -> None:
    python = checkout.folder / ".venv/bin/python"
    good = python.read_text()
    python.write_text("#!/bin/sh\necho 'no network' >&2\nexit 1\n")
    done = checkout.run("play")
    assert done.returncode == 2 and "no network" in done.stderr and "pip could not install" in done.stderr
    python.write_text(good)
    checkout.run("play")
    assert len(checkout.called) == 2


def test_install_puts_performer_on_the_path(checkout: Checkout) -> None:
    done = checkout.run("install")
    link = checkout.home / ".local/bin/performer"
    assert done.returncode == 0 and Path(os.readlink(link)) == checkout.folder / ".venv/bin/performer"
    assert f'export PATH="{link.parent}:$PATH"' in done.stderr
    done = checkout.run("install", "page", path=f"{link.parent}:")
    assert "performer play" in done.stderr and "export" not in done.stderr
    assert "page" in checkout.called[0][-1]


def test_install_overwrites_nothing_of_anybody_elses(checkout: Checkout) -> None:
    link = checkout.home / ".local/bin/performer"
    link.parent.mkdir(parents=True)
    link.write_text("mine")
    done = checkout.run("install")
    assert done.returncode == 2 and "is there already" in done.stderr and link.read_text() == "mine"


def test_install_knows_its_extras(checkout: Checkout) -> None:
    done = checkout.run("install", "trian")
    assert done.returncode == 2 and "no extra 'trian'" in done.stderr and not checkout.called


def test_it_may_be_called_by_a_link(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "one").symlink_to(checkout.folder / "run")
    (tmp_path / "two").symlink_to(Path("links") / "one")
    assert checkout.run("devices", start=tmp_path / "two").returncode == 0
    assert checkout.called[-1][-1] == "devices"


def test_tests_run_in_the_checkout_and_by_the_names_of_its_folders(checkout: Checkout) -> None:
    checkout.run("test")
    assert checkout.called[-1][0] == f"in {checkout.folder}"
    below = checkout.folder / "tests"
    below.mkdir()
    checkout.run("test", "test_run.py", cwd=below)
    assert checkout.called[-1] == [f"in {below}", "-m", "pytest", "-n", "2", "--dist", "worksteal", "test_run.py"]


def test_docs_installs_their_extra_and_renders_from_any_folder(checkout: Checkout) -> None:
    done = checkout.run("docs")
    install, render = checkout.called
    assert done.returncode == 0 and "docs" in install[-1].partition("[")[2]
    config = checkout.folder / "docs/rendering/mkdocs.yml"
    assert render[1:] == ["-m", "mkdocs", "build", "--quiet", "--config-file", str(config)]
    assert str(checkout.folder / "docs/reference/index.html") in done.stderr
    assert (ROOT / config.relative_to(checkout.folder)).is_file()
