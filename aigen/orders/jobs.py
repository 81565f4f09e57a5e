"""Jobs of orders at providers: what goes on there, and cancelling it."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from aigen.errors import AigenError
from aigen.orders.context import Context
from aigen.pipelines import hosted
from aigen.times import from_text
from aigen.types.pipeline import ITEM, Job
from aigen.types.reports import Said
from aigen.types.rows import Item
from aigen.wording import spoken_price


def jobs_at_providers(items: Iterable[Item]) -> Iterator[tuple[Item, str, Job]]:
    """Yield the jobs of items that are at a provider, done or not, each with its item and the part of it."""
    for item in items:
        for part, job in item.job.items():
            if job.is_there and "~" not in part:
                yield item, part, job


def running_jobs(items: Iterable[Item]) -> list[tuple[Item, str, Job]]:
    """Return the jobs of items that go on at a provider, as far as is known."""
    return [each for each in jobs_at_providers(items) if each[2].is_running]


def to_collect(items: Iterable[Item]) -> list[Item]:
    """Return the planned items of which something is bought that is not recorded yet."""
    planned = [item for item in items if item.state == "planned"]
    return [item for item in planned if any(jobs_at_providers([item])) or _is_fetched(item)]


def _is_fetched(item: Item) -> bool:
    return ITEM in item.job and item.job[ITEM].state == "fetched"


def only_waits(items: Iterable[Item]) -> bool:
    """Return whether all that is left of an order goes on at providers."""
    planned = [item for item in items if item.state == "planned"]
    return bool(planned) and all(ITEM in item.job and item.job[ITEM].is_running for item in planned)


def count_running(items: Iterable[Item]) -> str:
    """Return how many jobs go on at which provider, such as `2 jobs go on at Runway`; empty if none does."""
    servers = [hosted.title(job.server or "") for _, _, job in jobs_at_providers(items)]
    counts = {name: servers.count(name) for name in servers}
    told = " and ".join(f"{count} job{'s' * (count != 1)} at {name}" for name, count in counts.items())
    return told and f"{told} {'go' if len(servers) > 1 else 'goes'} on"


def describe_running(items: Iterable[Item], now: datetime) -> str:
    """Return what goes on at providers and since when, such as `at Runway since 10:42, 40 %`; empty if nothing does."""
    by_server: dict[str, list[Job]] = {}
    for _, _, job in jobs_at_providers(items):
        by_server.setdefault(hosted.title(job.server or ""), []).append(job)
    return "; ".join(_describe(name, jobs, now) for name, jobs in by_server.items())


def describe_unknown(item: Item) -> str | None:
    """Return what happened to an item that may have been paid for and is not there; None for others."""
    for part, job in item.job.items():
        if job.is_unknown and job.key and job.server and "~" not in part:
            name = hosted.title(job.server)
            at = f" at {from_text(job.intended_at).astimezone():%H:%M on %Y-%m-%d}" if job.intended_at else ""
            lost = f"{name} cannot deliver it any more" if job.id else "the answer was lost"
            return (
                f"it was ordered from {name}{at}, and {lost}. It may have been paid for, so it is not bought again by "
                "itself."
            )
    return None


def _describe(server: str, jobs: list[Job], now: datetime) -> str:
    began = min((job.intended_at for job in jobs if job.intended_at), default=None)
    since, count = "", f"{len(jobs)} jobs " if len(jobs) > 1 else ""
    if began:
        local = from_text(began).astimezone()
        since = f" since {local:%H:%M}" if local.date() == now.astimezone().date() else f" since {local:%Y-%m-%d %H:%M}"
    progress = ", ".join(dict.fromkeys(job.progress for job in jobs if job.progress))
    return f"{count}at {server}{since}{f', {progress}' if progress else ''}"


def cancel_jobs(context: Context, generation_id: str) -> None:
    """Cancel the jobs of an order at their providers, and report what each still costs.

    A provider that cannot be asked is reported; its jobs stay as they are.
    """
    for item, part, job in running_jobs(context.store.items(generation_id)):
        name = f"{item.name} at {hosted.title(job.server or '')}"
        try:
            pipeline = context.pipeline(job.server or "")
            if not hasattr(pipeline, "cancel"):
                continue
            ended: Job = pipeline.cancel(job)
        except AigenError as error:
            context.report(Said(f"{name} is not cancelled and goes on as job {job.id}: {error}"))
            continue
        context.store.save_job(item, ended, part)
        charged = "cost unknown" if ended.cost is None else f"charged {spoken_price(ended.cost)}"
        context.report(Said(f"{name} is cancelled: {charged}"))
