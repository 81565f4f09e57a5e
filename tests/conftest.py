"""What tests share: a content folder of their own, a clock that stands still, and the program as a real process."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
import pytest
from filelock import FileLock, Timeout

from aigen import pipelines
from aigen.content import ContentFolder
from aigen.media.encoding import VideoWriter, save_png
from aigen.orders.context import Context
from aigen.settings import NO_SETTINGS
from aigen.store import Store
from aigen.types.pipeline import Abilities, Failure, Output, Pipeline, Run, StartsFrom, Task
from aigen.types.request import Draft, Kind, Size

if TYPE_CHECKING:
    from aigen.viewer.gallery import Gallery
    from tests.web import Browser

SMALL = ("--size", "64x48", "--seed", "7")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """What cannot run on a user's machine may be skipped there; in CI a skip is a failure."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"


@pytest.fixture(autouse=True)
def clean_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the developer's machine reaches a test, and no test writes outside its folder."""
    for name in list(os.environ):
        if name.startswith(
            ("AIGEN_", "RUNWAYML_", "OPENAI_", "GEMINI_", "GOOGLE_", "PICTORY_", "HUG_")
        ):  # nor does a test spend anybody's money
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configuration"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub" / "hub"))
    for name in ("HF_TOKEN", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@dataclass
class StillClock:
    now: datetime = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def content(tmp_path: Path) -> ContentFolder:
    return ContentFolder(tmp_path / "content")


@dataclass
class Scribbler:
    """A pipeline for tests: makes tiny files that are the same for all items, or does what a test wants instead."""

    kinds: tuple[Kind, ...] = ("image", "video")
    starts_from: StartsFrom = "prompt"
    options: frozenset[str] = frozenset()
    local: bool = True
    paid: bool = False
    cost: float | None = 0.0
    fail: set[int] = field(default_factory=set)
    before: Callable[[Task, Run, int], object] = lambda task, run, number: None
    made: list[tuple[str, int]] = field(default_factory=list)

    @property
    def abilities(self) -> Abilities:
        return Abilities(
            label="scribbler, for tests",
            kinds=self.kinds,
            starts_from=self.starts_from,
            options=self.options,
            local=self.local,
            paid=self.paid,
        )

    def check(self, task: Task) -> None:
        pass

    def price(self, task: Task) -> float | None:
        return self.cost and self.cost * len(task.numbers)

    def generate(self, task: Task, run: Run) -> Generator[Output | Failure, None, None]:
        for number, seed in zip(task.numbers, task.seeds, strict=True):
            self.before(task, run, number)
            run.step(1, 1, "scribbling")
            if number in self.fail:
                yield Failure(seed, "the pen broke")
                continue
            self.made.append((task.kind, number))
            yield Output(scribble(task.kind, task.work / str(number)), seed, {"pen": "blue"}, "algorithmicMedia")


TINY = Size(16, 16)


def scribble(kind: Kind, path: Path, size: Size = TINY, frames: int = 2) -> Path:
    """Make a picture or video with a gradient in it; its path, with the suffix."""
    path = path.with_suffix(".png" if kind == "image" else ".mp4")
    if kind == "image":
        save_png(gradient(size), path)
    else:
        with VideoWriter(path, size, 24) as video:
            for frame in range(frames):
                video.write(gradient(size, frame))
    return path


def gradient(size: Size, shift: int = 0) -> Any:
    """RGBA pixels, opaque."""
    pixels = numpy.zeros((size.height, size.width, 4), numpy.uint8)
    pixels[..., 0] = (numpy.linspace(0, 255, size.width) + shift) % 256
    pixels[..., 1] = numpy.linspace(0, 255, size.height)[:, None]
    pixels[..., 3] = 255
    return pixels


@pytest.fixture
def scribbler() -> Scribbler:
    return Scribbler()


@pytest.fixture
def context(content: ContentFolder, clock: StillClock, scribbler: Scribbler) -> Iterator[Context]:
    with Store.open(content, create=True) as store:
        yield Context(content, store, load=lambda name, settings: scribbler, clock=clock)


@pytest.fixture
def request_two() -> Draft:
    """Two images and two videos."""
    return Draft(prompt="a kite", images=2, videos=2, seed=5)


@pytest.fixture
def gallery(content: ContentFolder, clock: StillClock, scribbler: Scribbler) -> "Gallery":
    """The web gallery of the content folder, as only this machine reaches it."""
    from aigen.settings import Settings
    from aigen.viewer.gallery import Gallery
    from tests.web import HOST

    return Gallery(
        content, Settings({}), frozenset({HOST, "localhost"}), clock=clock, load=lambda name, settings: scribbler
    )


@pytest.fixture
def ana(gallery: "Gallery") -> "Browser":
    """Somebody who has registered as ana and is logged in."""
    from tests.web import Browser

    return Browser(gallery).register()


def load(name: str) -> Pipeline:
    """The pipeline of this name, for a user without settings."""
    return pipelines.load(name, NO_SETTINGS)


def make_once(
    tmp_path_factory: pytest.TempPathFactory, name: str, makers: Mapping[str, Callable[[Path], object]]
) -> Path:
    """A folder with subfolders that are made once for all processes that run tests; nobody may write into it then."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    folder.mkdir(exist_ok=True)
    # First those that nobody else is making just now, then the rest, which waits for them.
    for patience in (0, -1):
        for each, make in makers.items():
            with suppress(Timeout), FileLock(folder / f"{each}.lock", timeout=patience):
                if not (folder / f"{each}.made").exists():
                    make(folder / each)
                    (folder / f"{each}.made").touch()
    return folder


def patiently(*values: object) -> list[Any]:
    """Parameters of a test that are tried only with the tests of the system."""
    return [pytest.param(value, marks=pytest.mark.system) for value in values]


def aigen_command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "aigen", *(str(argument) for argument in arguments)]


def run_process(
    *arguments: object, stdin: str | None = None, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own."""
    return subprocess.run(
        aigen_command(*arguments),
        capture_output=True,
        text=True,
        input=stdin if stdin is not None else "",
        timeout=120,
        env={**os.environ, **(environment or {})},
        check=False,
    )


def run_aigen(
    *arguments: object, stdin: str = "", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program in this process, which takes a tenth of the time of `run_process`.

    Signals, terminals, the umask, workers and what libraries read when they are imported are for `run_process`.
    """
    assert "--detach" not in arguments, "its worker would be a child of the tests: use run_process"
    said, told = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(said), redirect_stderr(told):
        patched.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        for name, value in {"AIGEN_DEBUG": "", **(environment or {})}.items():  # the first is set by --debug
            patched.setenv(name, value)
        code = _exit_code([str(argument) for argument in arguments])
    return subprocess.CompletedProcess(arguments, code, said.getvalue(), told.getvalue())


def _exit_code(arguments: list[str]) -> int:
    """Run the program, and leave the process as it was before."""
    from aigen.cli import app, program

    mask, heard = os.umask(0o077), signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as ended:
            app(arguments)
    finally:
        os.umask(mask)
        program.interrupted.clear()
        for name, how in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, heard)):
            if threading.current_thread() is threading.main_thread():
                signal.signal(name, how)
    return int(ended.value.code or 0)


def start_aigen(*arguments: object) -> subprocess.Popen[str]:
    """Start the program in a process of its own that hears Ctrl-C, also where the tests run in the background."""
    return subprocess.Popen(
        aigen_command(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def kill(process: subprocess.Popen[str], how: int = signal.SIGKILL) -> tuple[str, str]:
    """End a process; what it printed."""
    if process.poll() is None:
        process.send_signal(how)
    return process.communicate(timeout=60)


def kill_worker(content: Path, how: int) -> int:
    """Send a signal to every worker on a content folder; how many there were."""
    found = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it has just ended
            continue
        if "worker" in arguments and str(content.absolute()) in arguments:
            os.kill(int(folder.name), how)
            found += 1
    return found


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def files_in(folder: Path) -> dict[str, bytes]:
    """Every finished file of every user, by a name without the order's id."""
    return {
        f"{path.parent.name}/{path.name.split('-', 1)[1]}": path.read_bytes()
        for path in sorted(folder.glob("[!.]*/*"))
        if path.is_file()
    }


def left_in_work(folder: Path) -> list[str]:
    """What lies in .work beside locks."""
    return [path.name for path in (folder / ".work").iterdir() if path.suffix != ".lock"]
