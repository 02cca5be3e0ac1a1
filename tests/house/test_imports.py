"""The pure rooms stay light: importing the show must not load a device, a driver or a big library."""

import subprocess
import sys

ALLOWED = {"performer", "numpy", "scipy"}


def roots_after(statement: str) -> set[str]:
    code = (
        f"import sys; before = set(sys.modules); {statement}; "
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_show_loads_only_the_standard_library_numpy_and_scipy():
    extra = {
        name
        for name in roots_after("import performer.show.show") - ALLOWED
        if name not in sys.stdlib_module_names and not name.startswith("_")
    }
    assert not extra


def test_nothing_that_runs_a_model_calls_home(tmp_path):
    """Unless told before, ONNX Runtime keeps an id of the machine and what it will send."""
    import os

    model = "performer.content.library.FACTORY / 'models' / 'molten.onnx'"
    code = f"import performer.content.library, performer.generators.onnx.session as onnx; onnx.create({model}, 'cpu')"
    homes = {name: str(tmp_path) for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    asked = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"} | homes
    subprocess.run([sys.executable, "-c", code], env=asked, check=True)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
