"""Imports point one way, and no command loads what it does not need."""

import ast
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import aigen
from scripts.measure_layout import read_imports
from tests.conftest import run_aigen

ROOT = Path(aigen.__file__).parent
# Top to bottom is the direction of imports: a module may import what stands below it, never above.
ORDER = [
    "__main__",
    "cli",
    "viewer",
    "notify",
    "orders",
    "film",
    "vision",
    "pipelines",
    "models",
    "media",
    "store",
    "types",
    "settings",
    "keys",
    "content",
    "times",
    "wording",
    "errors",
]
# storybook is a package of packages with an order of its own, which may use what stands below `pipelines`.
STORYBOOK = [
    "__init__", "pool", "items", "scene",
    "moving.acting", "moving.casting", "moving.effects", "moving.rigs", "moving.weather", "moving.camera",
    "composing.from_photo", "composing.places", "composing.groups", "composing.arrangements",
    "drawing.surroundings", "drawing.interiors", "drawing.grounds", "drawing.waters", "drawing.fronts",
    "drawing.backdrops", "drawing.sky", "drawing.figures", "drawing.parts", "drawing.shadows", "drawing.lighting",
    "drawing.grading", "drawing.filters", "drawing.styles", "drawing.tinting", "drawing.look", "drawing.scenery",
    "drawing.layers", "drawing.lettering", "drawing.anatomy", "drawing.pictures", "drawing.painted", "drawing.bodies",
    "drawing.colours", "takes", "understanding.from_photo", "understanding.plan", "understanding.grammar",
    "understanding.phrases", "understanding.vocabulary", "artwork",
]  # fmt: skip
PACKAGES = {"understanding", "composing", "drawing", "moving"}
HEAVY = {"torch", "diffusers", "transformers", "PIL", "av"}
SDKS = {"openai", "runwayml", "google", "httpx", "httpx2", "keyring"}


def test_every_module_has_its_place() -> None:
    names = {path.stem for path in ROOT.glob("*.py")} | {
        path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()
    }
    assert names - {"__init__"} == set(ORDER)


@pytest.mark.parametrize("module", ORDER)
def test_imports_point_down(module: str) -> None:
    below = set(ORDER[ORDER.index(module) + 1 :])
    paths = [ROOT / f"{module}.py"] if (ROOT / f"{module}.py").exists() else (ROOT / module).rglob("*.py")
    for path in paths:
        used = {name.split(".")[1] for name in read_imports(path)} & set(ORDER)
        assert used - {module} <= below, f"{path.name} imports upwards: {used - below}"


def storybook_modules() -> dict[Path, str]:
    """The files of storybook, each with the entry of STORYBOOK that it belongs to, or its package."""
    folder = ROOT / "pipelines" / "storybook"
    return {path: in_storybook(path.relative_to(folder).with_suffix("").parts) for path in folder.rglob("*.py")}


def in_storybook(parts: Sequence[str]) -> str:
    names = [".".join(parts[:length]) for length in (2, 1)]
    return next((name for name in names if name in STORYBOOK), names[-1])


def test_imports_of_storybook_point_down() -> None:
    prefix = "aigen.pipelines.storybook."
    modules = storybook_modules()
    assert set(modules.values()) - PACKAGES == set(STORYBOOK)
    for path, module in modules.items():
        below = STORYBOOK[STORYBOOK.index(module) + 1 :] if module in STORYBOOK else []
        used = {
            in_storybook(name.removeprefix(prefix).split(".")) for name in read_imports(path) if name.startswith(prefix)
        }
        assert used & set(STORYBOOK) <= {*below, module}, f"{path} imports upwards"


def test_no_module_is_too_large() -> None:
    sizes = {path: len(path.read_text().splitlines()) for path in ROOT.rglob("*.py")}
    assert {path: size for path, size in sizes.items() if size > 400} == {}


def test_no_packages_import_one_another() -> None:
    script = ROOT.parent / "scripts" / "measure_layout.py"
    printed = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines()[-1].endswith("0 cycles")


def test_tests_mirror_the_packages() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    beyond = {"faults"}  # what every command must stand
    assert packages | beyond == {path.parent.name for path in Path(__file__).parent.glob("*/__init__.py")}


def test_every_module_says_what_lives_in_it() -> None:
    for path in ROOT.rglob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text())), f"{path} has no docstring"


def loaded_by(*arguments: str) -> set[str]:
    """The top-level modules in a real process when the program ends."""
    script = (
        "import sys, json, atexit; from aigen.cli import app\n"
        "atexit.register(lambda: print('LOADED' + "
        "json.dumps(sorted({name.split('.')[0] for name in sys.modules}))))\napp()"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(result.stdout.split("LOADED")[1]))


@pytest.mark.parametrize("arguments", [["--help"], ["generate", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    loaded = loaded_by(*arguments)
    assert "typer" in loaded
    assert not loaded & (HEAVY | SDKS | {"numpy", "sqlite_utils", "skia", "rich"})


def test_status_loads_no_model_library(tmp_path: Path) -> None:
    assert run_aigen("generate", "a kite", "--size", "32x32", "--videos", "0", "--images", "1").returncode == 0
    loaded = loaded_by("status", "--json")
    assert "sqlite_utils" in loaded
    assert not loaded & (HEAVY | SDKS | {"skia"})  # sqlite-utils loads numpy by itself


@pytest.mark.system
@pytest.mark.parametrize("arguments", [["models", "list"], ["costs"], ["generate", "a kite", "--plan"]])
def test_nothing_but_a_purchase_loads_an_sdk(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RUNWAYML_API_SECRET", "OPENAI_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.setenv(name, "key_of_a_test")
    assert not loaded_by(*arguments) & {"openai", "runwayml", "google"}


@pytest.mark.system
def test_the_gallery_loads_no_sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key_of_a_test")
    monkeypatch.setenv("AIGEN_WEB_PAID", "1")
    script = (
        "import atexit, json, sys; from aigen.cli import app\n"
        "atexit.register(lambda: print('LOADED' + json.dumps(sorted(sys.modules))))\napp()"
    )
    command = [sys.executable, "-c", script, "serve", "--no-open", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    while "http://" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=60)
    loaded = {name.split(".")[0] for name in json.loads(printed.split("LOADED")[1])}
    assert "bottle" in loaded
    assert not loaded & {"openai", "runwayml", "google", "torch"}


def test_storybook_loads_no_torch() -> None:
    assert not loaded_by("generate", "a kite", "--size", "32x32", "--images", "1", "--videos", "1") & {
        "torch",
        "diffusers",
    }
