"""Orders in a content folder of their own, for tests that watch them being made."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from aigen import pipelines
from aigen.content import ContentFolder
from aigen.orders.context import Context
from aigen.settings import Settings
from aigen.store import Store
from aigen.types.pipeline import Pipeline
from aigen.types.reports import Report, Said, Step


@dataclass
class Orders:
    """What is ordered, and what it reports; `before` hears each report, and may end it all."""

    root: Path
    load: Callable[[str, Settings], Pipeline] = pipelines.load
    reports: list[Report] = field(default_factory=list)
    before: Callable[[Report], None] = lambda report: None

    def __post_init__(self) -> None:
        self.content = ContentFolder(self.root)
        self.store = Store.open(self.content, create=True)

    def report(self, report: Report) -> None:
        self.reports.append(report)
        self.before(report)

    @property
    def context(self) -> Context:
        return Context(self.content, self.store, self.report, load=self.load)

    def said(self) -> list[str]:
        return [report.text for report in self.reports if isinstance(report, Said)]

    def steps(self) -> list[str]:
        return [str(report) for report in self.reports if isinstance(report, Step)]

    def files(self, suffix: str = ".mp4") -> list[Path]:
        return sorted((self.root / "ana").glob(f"*{suffix}"))

    def file(self, suffix: str) -> Path:
        (path,) = self.files(suffix)
        return path
