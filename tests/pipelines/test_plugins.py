"""Pipelines that other packages bring along: one is built, installed with pip, and used by its name."""

import json
import math
import os
import pty
import shutil
import subprocess
import sys
import sysconfig
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from aigen import pipelines
from aigen.errors import UsageError
from aigen.orders import lifecycle, placing
from aigen.orders.context import Context
from aigen.pipelines import Registered, listing
from aigen.settings import NO_SETTINGS
from aigen.types.pipeline import Abilities, Output, Run, Task
from aigen.types.reports import Said
from aigen.types.request import Draft, Size
from aigen.viewer.gallery import Gallery
from tests.conftest import load, run_aigen, scribble
from tests.web import Browser

PACKAGE = Path(__file__).parents[1] / "plugin"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the package in it, which is otherwise that of the tests."""
    folder = tmp_path_factory.mktemp("plugin")
    sources, environment = folder / "sources", folder / "environment"
    shutil.copytree(PACKAGE, sources, ignore=shutil.ignore_patterns("__pycache__"))
    found = environment / "bin" / "python"

    def run(*arguments: object) -> None:
        subprocess.run([sys.executable, "-m", *map(str, arguments)], check=True, capture_output=True, timeout=120)

    run("venv", "--without-pip", environment)
    run("pip", "wheel", "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", folder, sources)
    (wheel,) = folder.glob("*.whl")
    run("pip", "--python", found, "install", "--no-deps", "--no-index", wheel)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "tests.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
    return found


def run_in(python: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-P", "-m", "aigen", *map(str, arguments)],
        capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **environment},
    )  # fmt: skip


@pytest.mark.system
def test_an_installed_pipeline_makes_an_order(python: Path) -> None:
    asked = ("generate", "a kite", "--images", 2, "--videos", 0, "--size", "64x48", "--seed", 7, "--user", "ana")
    made = run_in(python, *asked, "--model", "dots", "--json", DOTS_COLOUR="red")
    assert made.returncode == 0, made.stderr
    assert "dots: dots, for tests" in made.stderr
    told = json.loads(made.stdout)
    assert (told["status"], len(told["images"]), told["model"], told["cost"]) == ("Completed", 2, "dots", None)
    described = json.loads(run_in(python, "info", told["images"][0], "--json").stdout)
    assert (described["model"], described["parameters"]["colour"]) == ("dots", "red")


@pytest.mark.system
def test_what_one_costs_is_said_before_and_kept(python: Path) -> None:
    asked = ("generate", "a kite", "--images", 3, "--videos", 0, "--size", "64x48", "--seed", 7, "--user", "ana")
    refused = run_in(python, *asked, "--model", "golden-dots")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == ("aigen: this order costs about $0.30: add --yes, or a limit such as --max-cost 0.30\n")
    assert not Path("generated_content").exists()
    made = run_in(python, *asked, "--model", "golden-dots", "--max-cost", "0.5", "--json")
    assert made.returncode == 0, made.stderr
    assert "estimated cost: $0.30" in made.stderr
    assert json.loads(made.stdout)["cost"] == pytest.approx(0.3)
    (order,) = json.loads(run_in(python, "status", "ana", "--json").stdout)
    assert order["cost"] == pytest.approx(0.3)
    listed = run_in(python, "costs")
    assert "    $0.30  estimate $0.30   Completed   ana  a kite" in listed.stdout
    assert listed.stderr == "total: $0.30; this month, with what is reserved: $0.30\n"
    (ledger,) = json.loads(run_in(python, "costs", "--user", "ana", "--json").stdout)
    assert (ledger["generation_id"], ledger["cost"]) == (order["generation_id"], 0.3)


@pytest.mark.system
@pytest.mark.parametrize(("answer", "code", "count"), [("y", 0, 1), ("n", 1, 0)])
def test_on_a_terminal_its_cost_is_asked_about(python: Path, answer: str, code: int, count: int) -> None:
    asked = ("generate", "a kite", "--images", "1", "--videos", "0", "--size", "64x48", "--model", "golden-dots")
    ours, theirs = pty.openpty()
    command = [python, "-P", "-m", "aigen", *asked]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        written = b""
        while b"Place it?" not in written:
            written += os.read(ours, 4096)
        os.write(ours, f"{answer}\n".encode())
        with suppress(OSError):  # the terminal has gone with the process
            while part := os.read(ours, 4096):
                written += part
        assert process.wait(timeout=60) == code
    os.close(ours)
    assert b"This order costs about $0.10. Place it? [y/N]" in written
    assert len(list(Path().glob("generated_content/*/*.png"))) == count


@pytest.mark.system
def test_one_that_cannot_be_imported_is_told_in_one_line_and_breaks_nothing(python: Path) -> None:
    wrong = "model 'torn-dots' of the package 'aigen-dots' cannot be loaded (ModuleNotFoundError: No module named "
    listed = run_in(python, "models")
    assert listed.returncode == 0, listed.stderr
    (line,) = (line for line in listed.stdout.splitlines() if "ModuleNotFoundError" in line)
    assert wrong in line
    assert line.endswith("or remove it with pip uninstall aigen-dots")
    examined = run_in(python, "doctor").stdout
    assert examined.count("ModuleNotFoundError") == 1
    assert wrong in examined
    assert "dots, for tests; of the package aigen-dots" in examined
    refused = run_in(python, "generate", "a kite", "--model", "torn-dots")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"aigen: {wrong}")
    assert not Path("generated_content").exists()
    usual = run_in(python, "generate", "a kite", "--images", 1, "--videos", 0, "--size", "64x48", "--json")
    assert json.loads(usual.stdout)["model"] == "storybook"


class Unfinished:
    """It was written for another version: it says what it can do in other words."""

    def __init__(self, settings: object) -> None:
        self.abilities: Any = {"kinds": ("image",)}


class Faulty:
    """What another package can do wrong: `wrong` is done instead of what should be done."""

    wrong: str

    def __init__(self, settings: object) -> None:
        kinds: Any = ["image"] if self.wrong == "kinds" else ("image",)
        sizes: Any = {} if self.wrong == "sizes" else {"image": Size(64, 48)}
        paid = self.wrong != "price-of-free"
        self.abilities = Abilities(label="faulty", kinds=kinds, sizes=sizes, paid=paid)

    def check(self, task: Task) -> None:
        if self.wrong == "check":
            raise ZeroDivisionError("no check")

    def price(self, task: Task) -> Any:
        prices = {"price": "free", "price-none": None, "nan": math.nan, "negative": -1, "inf": math.inf}
        return prices.get(self.wrong, 1 if self.wrong == "price-of-free" else 0)

    def generate(self, task: Task, run: Run) -> Any:
        return [Output(scribble("image", task.work / "one"), task.seeds[0], {}, "algorithmicMedia")]


@pytest.fixture(params=["kinds", "sizes", "check", "price", "price-of-free", "nan", "negative", "inf"])
def faulty(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package that does this wrong."""
    return install_faulty(monkeypatch, request.param)


def install_faulty(monkeypatch: pytest.MonkeyPatch, wrong: str) -> str:
    monkeypatch.setattr(Faulty, "wrong", wrong, raising=False)
    known = pipelines.registered() | {"faulty": Registered(f"{__name__}:Faulty", "aigen-faulty")}
    monkeypatch.setattr(pipelines, "registered", lambda: known)
    return wrong


def test_what_a_package_raises_is_one_line_that_names_it(
    gallery: Gallery, context: Context, monkeypatch: pytest.MonkeyPatch, faulty: str
) -> None:
    draft = Draft(prompt="a kite", images=1, videos=0, model="faulty")
    with pytest.raises(UsageError, match=r"of the package 'aigen-faulty' cannot .* pip uninstall aigen-faulty"):
        placing.place(replace(context, load=pipelines.load), draft, "ana")
    assert context.store.generations() == []
    ana = Browser(replace(gallery, load=pipelines.load)).register()
    for path in ("/text-to-video", "/image-to-video"):
        assert ana.get(path).status_code == 200
    answer = ana.post("/text-to-video", prompt="a kite", images="1", videos="0", model="faulty")
    assert answer.status_code == 400
    monkeypatch.setenv("AIGEN_MODEL", "faulty")
    examined = run_aigen("doctor")
    assert "storybook" in examined.stdout
    assert "Traceback" not in examined.stderr
    refused = run_aigen("generate", "a kite", "--images", 1, "--videos", 0)
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)


def test_items_need_not_be_yielded_and_a_price_may_be_unknown(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_faulty(monkeypatch, "price-none")
    reports: list[object] = []
    context = replace(context, load=pipelines.load, report=reports.append)
    order = lifecycle.generate(context, Draft(prompt="a kite", images=1, videos=0, model="faulty", yes=True), "ana")
    assert order.status == "Completed"
    assert Said("estimated cost: an unknown amount") in reports


def test_what_a_package_says_of_its_settings_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Faulty, settings: object) -> None:
        raise UsageError("DOTS_COLOUR is missing: set it")

    install_faulty(monkeypatch, "")
    monkeypatch.setattr(Faulty, "__init__", refuse)
    with pytest.raises(UsageError, match=r"^DOTS_COLOUR is missing: set it$"):
        load("faulty")


BROKEN = {
    "missing": "no.such.package:Nothing",
    "renamed": "aigen.settings:NoSuchClass",
    "unfinished": f"{__name__}:Unfinished",
    "wanting": "builtins:list",
}


@pytest.mark.parametrize("place", BROKEN.values(), ids=BROKEN)
def test_whatever_is_wrong_with_a_package_stays_with_it(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    known = pipelines.registered() | {"broken": Registered(place, "aigen-broken")}
    monkeypatch.setattr(pipelines, "registered", lambda: known)
    with pytest.raises(UsageError, match=r"'broken' of the package 'aigen-broken' cannot be loaded"):
        load("broken")
    (told,) = (model for model in listing.list_models(NO_SETTINGS) if model.name == "broken")
    assert not told.here
    assert "pip uninstall aigen-broken" in (told.wrong or "")
    ana = Browser(replace(gallery, load=pipelines.load)).register()
    page = ana.get("/text-to-video")
    assert page.status_code == 200
    assert 'value="storybook"' in page.text
    assert 'value="broken"' not in page.text
    assert ana.post("/text-to-video", prompt="a kite", model="broken").status_code == 400


def test_a_package_takes_no_name_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint(name, "somewhere:Else", "aigen.pipelines") for name in ("storybook", "sd-turbo", "own")]
    pipelines.registered.cache_clear()
    monkeypatch.setattr(pipelines, "entry_points", lambda group: points)
    try:
        assert pipelines.registered()["storybook"].package is None
        assert pipelines.registered()["own"].place == "somewhere:Else"
        assert "sd-turbo" not in pipelines.registered()
        assert [name for name, _ in pipelines.ignored()] == ["storybook", "sd-turbo"]
    finally:
        pipelines.registered.cache_clear()


def test_a_package_is_removed_by_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    install_faulty(monkeypatch, "")
    with pytest.raises(UsageError, match="'faulty' is part of the package 'aigen-faulty': use pip"):
        listing.find("faulty")
