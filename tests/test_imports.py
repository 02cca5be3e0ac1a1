"""The pure rooms stay light: importing the show must not load a device, a driver or a big library."""

import subprocess
import sys

ALLOWED = {
    "performer",
    "numpy",
    "scipy",
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "typing_extensions",
    "typing_inspection",
    "annotated_doc",
}


def roots_after(statement: str) -> set[str]:
    code = (
        f"import sys; before = set(sys.modules); {statement}; "
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_show_loads_only_the_standard_library_numpy_scipy_and_the_schema_library():
    extra = {
        name
        for name in roots_after("import performer.show") - ALLOWED
        if name not in sys.stdlib_module_names and not name.startswith("_")
    }
    assert not extra


def test_pure_rooms_do_not_import_adapters():
    code = (
        "import sys, performer.show, performer.isf, performer.audio.analyzer, performer.latent.walks; "
        "print(*[n for n in sys.modules if n.startswith('performer.') and n.split('.')[1] in "
        "('inputs', 'outputs', 'generators', 'gl', 'train', 'app')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert out == []


def test_adapters_do_not_import_adapters():
    import ast
    from pathlib import Path

    rooms = ("inputs", "outputs", "generators", "gl", "page")
    package = Path(__file__).resolve().parents[1] / "performer"
    for room in rooms:
        for path in (package / room).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = (
                    [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else []
                )
                for name in names:
                    parts = name.split(".")
                    if parts[0] == "performer" and len(parts) > 1:
                        assert parts[1] not in set(rooms) - {room} | {"app", "train"}, f"{path.name} imports {name}"


def test_nothing_that_runs_a_model_calls_home(tmp_path):
    """Unless told before, ONNX Runtime keeps an id of the machine and what it will send."""
    import os

    model = "performer.library.FACTORY / 'models' / 'molten.onnx'"
    code = f"import performer.library, performer.generators.onnx as onnx; onnx.create({model}, 'cpu')"
    homes = {name: str(tmp_path) for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    asked = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"} | homes
    subprocess.run([sys.executable, "-c", code], env=asked, check=True)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
