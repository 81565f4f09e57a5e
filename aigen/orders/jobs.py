"""Jobs of orders at providers: what is still running there, and cancelling it."""

from collections.abc import Iterator

from aigen.errors import AigenError
from aigen.orders.context import Context
from aigen.types.pipeline import Job
from aigen.types.reports import Said
from aigen.types.rows import Item
from aigen.wording import spoken_price


def running_jobs(context: Context, generation_id: str) -> Iterator[tuple[Item, str, Job]]:
    """Yield the jobs of an order that are at a provider, each with its item and the part of it."""
    for item in context.store.items(generation_id):
        for part, job in item.job.items():
            if job.state == "submitted" and job.id and job.server and "~" not in part:
                yield item, part, job


def describe_running(context: Context, generation_id: str) -> str:
    """Return what goes on at providers, in words; empty if nothing does."""
    servers = [job.server for _, _, job in running_jobs(context, generation_id)]
    return " and ".join(
        f"{servers.count(name)} job{'s' * (servers.count(name) != 1)} at {name}" for name in dict.fromkeys(servers)
    )


def cancel_jobs(context: Context, generation_id: str) -> None:
    """Cancel the jobs of an order at their providers, and report what each still costs.

    A provider that cannot be asked is reported; its jobs stay as they are.
    """
    for item, part, job in list(running_jobs(context, generation_id)):
        name = f"{item.name} at {job.server}"
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
