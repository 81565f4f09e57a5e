"""Whatever is ordered, crashes, is resumed and bought again: what is sold never exceeds a limit, nor is it lost."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aigen import pipelines
from aigen.content import ContentFolder
from aigen.errors import AigenError, ProviderError
from aigen.orders import lifecycle, worker
from aigen.orders.context import Context
from aigen.pipelines.hosted import pipeline
from aigen.pipelines.hosted.provider import Accepted, Access, ItemRequest, Pending, Ready, Rejected
from aigen.settings import Settings
from aigen.store import Store
from aigen.types.request import Draft
from tests.conftest import TINY, StillClock, scribble


class Crash(BaseException):
    """The process dies."""


@dataclass
class Market:
    """A provider without a network. What happens at each call is drawn from `fates`, then everything goes well."""

    fates: list[str] = field(default_factory=list)
    sold: dict[str, float] = field(default_factory=dict)  # USD by the id of the job
    picture: bytes = b""

    def submit(self, request: ItemRequest) -> Accepted | Ready:
        fate = self.fates.pop(0) if self.fates else "sold"
        if fate in ("dies before", "not reached", "refused", "wrong key"):
            if fate == "dies before":
                raise Crash
            fault = {"not reached": "busy", "refused": "moderation", "wrong key": "key"}[fate]
            raise ProviderError(fate, fault)  # type: ignore[arg-type]
        name = f"job-{len(self.sold) + 1}"
        self.sold[name] = {"cheap": 0.01, "free": 0.0}.get(fate, 0.08)
        if fate == "dies after":
            raise Crash
        if fate == "lost":
            raise ProviderError(fate, "unanswered")
        return Accepted(name, 0.08)

    def poll(self, job_id: str) -> Pending | Ready | Rejected:
        fate = self.fates.pop(0) if self.fates else "done"
        if fate == "dies before":
            raise Crash
        if fate == "lost":
            raise ProviderError(fate, "server")
        if fate == "refused":
            return Rejected("refused", self.sold[job_id])
        if fate == "wrong key":
            raise ProviderError(fate, "missing")
        return Ready(self.sold[job_id], data=self.picture, url="https://example.org/picture.png")

    def cancel(self, job_id: str) -> Rejected | None:
        return Rejected("cancelled", self.sold[job_id])


MARKET = Market()


def open_market(access: Access) -> Market:
    return MARKET


@contextmanager
def opened(folder: Path, clock: StillClock, month: float) -> Iterator[Context]:
    content = ContentFolder(folder)
    values = {"AIGEN_MONTHLY_COST": str(month), "RUNWAYML_API_SECRET": "key_of_a_test", "AIGEN_HOSTED_POLL": "0.0001"}
    values |= {"AIGEN_HOSTED_DEADLINE": "0.002", "AIGEN_HOSTED_PARALLEL": "2"}
    with Store.open(content, create=True) as store:
        yield Context(content, store, settings=Settings(values), load=pipelines.load, clock=clock)


FATES = st.sampled_from(
    ["sold", "done", "cheap", "free", "dies before", "dies after", "dies after", "lost", "lost", "not reached",
     "refused", "wrong key"]
)  # fmt: skip
ORDERS = st.tuples(st.just("order"), st.integers(1, 3), st.sampled_from([None, 0.1, 0.2, 0.3]))
OTHERS = st.tuples(
    st.sampled_from(["resume", "buy again", "buy again", "cancel", "work"]), st.integers(0, 5), st.none()
)


@pytest.fixture
def picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    path = scribble("image", tmp_path / "picture", TINY)
    monkeypatch.setitem(pipeline._MODULES, "runway", "tests.pipelines.hosted.test_limits:open_market")

    def fetch(self: object, url: str, stem: Path, check: object) -> Path:
        return Path(stem.with_suffix(".png")) if stem.with_suffix(".png").write_bytes(path.read_bytes()) else stem

    monkeypatch.setattr("aigen.pipelines.hosted.downloads.Downloads.fetch", fetch)
    return path.read_bytes()


Actions = list[tuple[str, int, float | None]]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=ORDERS,
    actions=st.lists(st.one_of(OTHERS, ORDERS), min_size=1, max_size=8),
    fates=st.lists(FATES, min_size=1, max_size=20),
)
@example(first=("order", 1, 0.1), actions=[("buy again", 0, None)], fates=["dies after"])
@example(first=("order", 2, 0.2), actions=[("buy again", 0, None)] * 2, fates=["sold", "done", "lost"])
@example(first=("order", 1, None), actions=[("buy again", 0, None)] * 6, fates=["dies after"] * 9)
@example(first=("order", 3, None), actions=[("order", 1, None), ("buy again", 0, None)], fates=["dies after"] * 9)
def test_no_limit_is_ever_exceeded(
    picture: bytes, first: tuple[str, int, float | None], actions: Actions, fates: list[str]
) -> None:
    global MARKET
    MARKET = Market(list(fates), picture=picture)
    month = 0.3
    with tempfile.TemporaryDirectory() as name, opened(Path(name), StillClock(), month) as context:
        for action, number, most in [first, *actions]:
            act(context, action, number, most)
            assert sum(MARKET.sold.values()) <= month + 1e-9
        for order in context.store.generations():
            jobs = [job for item in context.store.items(order.generation_id) for job in item.job.values()]
            bought = sum(MARKET.sold.get(job.id or "", 0) for job in jobs)
            unknown = sum(job.price or 0 for job in jobs if job.id is None)
            if order.request.max_cost is not None:
                assert bought + unknown <= order.request.max_cost + 1e-9
        ledger = {
            job.id or ""
            for order in context.store.generations()
            for item in context.store.items(order.generation_id)
            for job in item.job.values()
        }
        lost = set(MARKET.sold) - ledger
        unknown_count = sum(
            job.id is None
            for order in context.store.generations()
            for item in context.store.items(order.generation_id)
            for job in item.job.values()
        )
        assert len(lost) <= unknown_count, "each sale is in the ledger, as itself or as unknown"


def act(context: Context, action: str, number: int, most: float | None) -> None:
    orders = context.store.generations()
    with suppress(AigenError, Crash):
        if action == "order":
            draft = Draft(
                prompt="a kite", images=number, videos=0, image_model="runway", max_cost=most, yes=True, seed=1
            )
            lifecycle.generate(context, draft, "ana")
        elif action == "work":
            worker.work(replace(context, agree=lambda price: None), lambda seconds: None, once=True)
        elif orders:
            order = orders[number % len(orders)].generation_id
            if action == "cancel":
                lifecycle.cancel(context, order)
            else:
                lifecycle.resume(context, order, action == "buy again")
