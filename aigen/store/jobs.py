"""Jobs of items at providers: recorded before anything is sent, and checked against every limit."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from aigen.errors import Cancelled, CostError
from aigen.store.costs import Costs
from aigen.store.database import dump
from aigen.types.pipeline import ITEM, Job
from aigen.types.rows import Budget, Item
from aigen.wording import spoken_price

THIS_ITEM = "generation_id = :generation_id AND kind = :kind AND number = :number"


class Jobs(Costs):
    def job(self, item: Item, part: str = ITEM) -> Job | None:
        """Return the saved job of an item, or of a part of it."""
        return self._jobs(item).get(part)

    def save_job(self, item: Item, job: Job, part: str = ITEM) -> None:
        """Store a job. It stays until the order is erased, whatever its state.

        A job with another key replaces it; if that may have cost something, it is kept under another name.
        """
        with self._write():
            self._write_job(item, job, part)

    def intend_job(
        self, item: Item, job: Job, part: str, limits: Mapping[str, float], budgets: Iterable[Budget]
    ) -> None:
        """Store a job that is about to be bought.

        Its price is at least what jobs of the same kind in this order were sold for. Raises CostError if that exceeds
        what is left of a limit on the order or of a budget, and Cancelled if the order is no longer being made.
        """
        with self._write():
            if not self._read(
                "SELECT 1 FROM generations WHERE generation_id = ? AND status = 'Processing'", [item.generation_id]
            ):
                raise Cancelled(f"order {item.generation_id} was cancelled")
            job = replace(job, price=self._expected_price(item, job, part))
            price = job.price or 0.0
            total, more = self._reserve(item.generation_id, price)
            for name, amount in limits.items():
                if total > amount:
                    raise CostError(
                        f"about {spoken_price(price)} for it brings the order to {spoken_price(total)}, "
                        f"more than {name} {amount:.2f}; order the rest anew, with a higher limit"
                    )
            for budget in budgets:
                self.check_budget(budget, more, "it costs more than was expected, by")
            self._write_job(item, job, part)

    def drop_job(self, item: Item, job: Job, part: str = ITEM) -> None:
        """Remove a job that was only intended."""
        with self._write():
            jobs = self._jobs(item)
            if (found := jobs.get(part)) and (found.key, found.state) == (job.key, "intended"):
                del jobs[part]
                self._update_jobs(item, jobs)

    def release_jobs(self, generation_id: str) -> int:
        """Set aside the jobs of an order whose outcome is unknown, so that they are bought again; return how many.

        Their price still counts against limits. Their items are planned anew.
        """
        released = 0
        with self._write():
            for row in self._read("SELECT * FROM items WHERE generation_id = ?", [generation_id]):
                jobs = load_jobs(row["job"])
                unknown = [part for part, job in jobs.items() if job.is_unknown and job.key and "~" not in part]
                for part in unknown:
                    job = jobs.pop(part)
                    jobs[_free_name(jobs, part, job)] = replace(job, state="lost")
                if unknown:
                    released += len(unknown)
                    self._database.execute(
                        f"""
                        UPDATE items SET job = :job,
                            state = CASE state WHEN 'failed' THEN 'planned' ELSE state END,
                            error = CASE state WHEN 'failed' THEN NULL ELSE error END
                        WHERE {THIS_ITEM}
                        """,
                        {**row, "job": dump_jobs(jobs)},
                    )
        return released

    def _expected_price(self, item: Item, job: Job, part: str) -> float | None:
        """Return the price of a job, or of the dearest one for the same sort of part in this order."""
        rows = self._read("SELECT job FROM items WHERE generation_id = ? AND kind = ?", [item.generation_id, item.kind])
        known = [job.price] + [
            each.price if each.cost is None else each.cost
            for row in rows
            for name, each in load_jobs(row["job"]).items()
            if each.server == job.server and _sort(name) == _sort(part)
        ]
        return max((price for price in known if price is not None), default=None)

    def _write_job(self, item: Item, job: Job, part: str) -> None:
        jobs = self._jobs(item)
        before = jobs.get(part)
        if before and before.key == job.key:
            job = replace(
                job,
                cost=before.cost if job.cost is None else job.cost,
                price=before.price if job.price is None else job.price,
                intended_at=job.intended_at or before.intended_at,
            )
        elif before and (before.cost is not None or before.price is not None):
            jobs[_free_name(jobs, part, before)] = before
        self._update_jobs(item, {**jobs, part: job})

    def _update_jobs(self, item: Item, jobs: Mapping[str, Job]) -> None:
        self._update(f"UPDATE items SET job = :job WHERE {THIS_ITEM}", {**item_key(item), "job": dump_jobs(jobs)})

    def _jobs(self, item: Item) -> dict[str, Job]:
        rows = self._read(f"SELECT job FROM items WHERE {THIS_ITEM}", item_key(item))
        return load_jobs(rows[0]["job"]) if rows else {}


def _sort(part: str) -> str:
    """Return what parts have in common that one model makes: `picture-2` and `picture-3~key` are pictures."""
    return re.split(r"[-~/]", part)[0]


def _free_name(jobs: Mapping[str, Job], part: str, job: Job) -> str:
    """Return the name under which a replaced job is kept."""
    name = f"{part}~{job.key}"
    while name in jobs:
        name += "~"
    return name


def item_key(item: Item) -> dict[str, Any]:
    return {"generation_id": item.generation_id, "kind": item.kind, "number": item.number}


def dump_jobs(jobs: Mapping[str, Job]) -> str:
    """Return jobs as the store keeps them: without what is not known."""
    known = {
        part: {name: value for name, value in asdict(job).items() if value is not None} for part, job in jobs.items()
    }
    return dump(known)


def load_jobs(text: str) -> dict[str, Job]:
    return {part: Job(**job) for part, job in json.loads(text).items()}
