"""A provider's stand-in for each test, and orders from it."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from aigen.content import ContentFolder
from aigen.pipelines.hosted import families
from aigen.settings import settings_file
from aigen.store import Store
from aigen.types.rows import Item
from tests.conftest import patiently, run_aigen, start_aigen
from tests.pipelines.hosted.stand_in import KEY, STAND_INS, StandIn, standing_in

# Seconds between polls: tests need not wait.
QUICK = {"AIGEN_HOSTED_POLL": "0.003"}


@dataclass
class Shop:
    """Orders from one provider, of one kind, by the program itself."""

    provider: str
    kind: str
    server: StandIn
    content: Path
    environment: dict[str, str] = field(default_factory=dict)

    def order(self, count: int = 1, *more: object, environment: dict[str, str] | None = None) -> Any:
        return self.run(*self.arguments(count, *more), environment=environment)

    def arguments(self, count: int = 1, *more: object) -> tuple[object, ...]:
        counts = {"image": 0, "video": 0} | {self.kind: count}
        return (
            "generate", "three red kites", "--images", counts["image"], "--videos", counts["video"],
            f"--{self.kind}-model", self.provider, "--user", "ana", "--seed", "7", "--yes", *more,
        )  # fmt: skip

    def run(self, *arguments: object, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command; whatever it says, it does not say the key."""
        done = run_aigen(*arguments, "--content", self.content, environment={**self.environment, **(environment or {})})
        assert KEY not in done.stdout + done.stderr
        return done

    def start(self, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> subprocess.Popen[str]:
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)
        return start_aigen(*arguments, "--content", self.content)

    @property
    def title(self) -> str:
        return families.providers()[self.provider].title

    @property
    def status(self) -> dict[str, Any]:
        (found,) = json.loads(self.run("status", "--json").stdout)
        assert isinstance(found, dict)
        return found

    @property
    def order_id(self) -> str:
        return str(self.status["generation_id"])

    @property
    def items(self) -> list[Item]:
        with Store.open(ContentFolder(self.content)) as store:
            return store.items(store.generations()[-1].generation_id)

    @property
    def files(self) -> list[Path]:
        return sorted(path for path in (self.content / "ana").glob("*") if path.is_file())

    def resume(self, *more: object) -> subprocess.CompletedProcess[str]:
        return self.run("resume", self.order_id, *more)


PRICES = """[prices]
"huggingface:black-forest-labs/FLUX.1-schnell" = 0.003
"huggingface:Wan-AI/Wan2.2-TI2V-5B" = 0.05
"pictory:pixverse5.5" = 0.02
"""


def make_shop(provider: str, kind: str, tmp_path: Path) -> Iterator[Shop]:
    settings = settings_file()
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(PRICES)
    with standing_in(provider, tmp_path / "stand-in") as server:
        shop = Shop(provider, kind, server, tmp_path / "content", QUICK | server.environment)
        yield shop
        if shop.content.exists():
            for path in shop.content.rglob("*"):
                assert not path.is_file() or KEY.encode() not in path.read_bytes(), f"the key is in {path}"


@pytest.fixture(
    params=["runway", "openai", *patiently("gemini", "gemini images", "huggingface", "huggingface images", "pictory")]
)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shop(provider: str, tmp_path: Path) -> Iterator[Shop]:
    """A provider that sells, to be asked by aigen itself: videos where it makes any."""
    name, _, images = provider.partition(" ")
    kind = "image" if images or "video" not in STAND_INS[name].kinds else "video"
    yield from make_shop(name, kind, tmp_path)


@pytest.fixture
def runway(tmp_path: Path) -> Iterator[Shop]:
    """Runway's videos."""
    yield from make_shop("runway", "video", tmp_path)


@pytest.fixture
def openai(tmp_path: Path) -> Iterator[Shop]:
    yield from make_shop("openai", "image", tmp_path)
