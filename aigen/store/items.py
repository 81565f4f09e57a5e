"""Items of orders, with their checkpoints and jobs."""

import json
from dataclasses import asdict, replace
from typing import Any

from aigen.store.database import Connection, dump
from aigen.types.pipeline import ITEM, Job
from aigen.types.request import GenerationRequest
from aigen.types.rows import Item, sum_costs

_THIS = "generation_id = :generation_id AND kind = :kind AND number = :number"


class Items(Connection):
    def items(self, generation_id: str) -> list[Item]:
        """The items of an order as they are made: images first, then videos, each by number."""
        rows = self._read(
            "SELECT * FROM items WHERE generation_id = ? ORDER BY kind, number",
            [generation_id],
        )
        return [_item(row) for row in rows]

    def delete_item(self, item: Item) -> bool:
        """Erase the row of a finished item of an order that has ended."""
        return self._change(
            """
            DELETE FROM items WHERE generation_id = ? AND kind = ? AND number = ? AND state = 'done'
                AND (SELECT status FROM generations WHERE generation_id = items.generation_id) <> 'Processing'
            """,
            [item.generation_id, item.kind, item.number],
        )

    def pace(
        self, kind: str, model: str, request: GenerationRequest, picture_by: str | None = None, count: int = 20
    ) -> float | None:
        """Seconds that a model took of late for an item of a kind,
        in orders of like size and options; None: there are none.

        Where another model made what they start from, only orders with the same one count.
        """
        rows = self._read(
            """
            SELECT avg(seconds) AS pace FROM (
                SELECT seconds FROM items JOIN generations USING (generation_id)
                WHERE kind = :kind AND model = :model AND seconds IS NOT NULL
                    AND json_extract(request, '$.size') IS :size AND json_extract(request, '$.steps') IS :steps
                    AND json_extract(request, '$.guide') IS :guide
                    AND coalesce(json_extract(request, '$.fast'), 0) = :fast
                    AND json_extract(request, '$.duration') IS :duration AND json_extract(request, '$.fps') IS :fps
                    AND json_extract(request, '$.frames') IS :frames
                    AND (:picture_by IS NULL OR json_extract(request, '$.image_model') = :picture_by)
                    AND coalesce(json_extract(request, '$.from_picture'), 0) = :from_picture
                ORDER BY items.rowid DESC LIMIT :count)
            """,
            {
                "kind": kind,
                "model": model,
                "size": request.size,
                "steps": request.steps,
                "guide": request.guide,
                "fast": request.fast,
                "duration": request.duration,
                "fps": request.fps,
                "frames": request.frames,
                "picture_by": picture_by,
                "from_picture": request.from_picture,
                "count": count,
            },
        )
        return rows[0]["pace"] if rows else None

    def record(self, item: Item) -> bool:
        """Record a planned item as done or failed, with its cost.

        A done item loses its checkpoint. A failed one keeps it for the next attempt.
        """
        with self._write():
            jobs = self._jobs(item)
            if item.cost is not None:
                jobs[ITEM] = replace(jobs.get(ITEM, Job(key="", state="fetched")), cost=item.cost)
            # Also of an order that was cancelled meanwhile: it was paid for.
            self._update(
                f"UPDATE items SET cost = :cost, job = :job WHERE {_THIS}",
                {**_key(item), "cost": sum_costs(job.cost for job in jobs.values()), "job": _dump_jobs(jobs)},
            )
            return self._update(
                f"""
                UPDATE items SET state = :state, path = :path, parameters = :parameters, error = :error,
                    seconds = :seconds,
                    checkpoint = CASE :state WHEN 'done' THEN '{{}}' ELSE checkpoint END
                WHERE {_THIS} AND state = 'planned'
                    AND (SELECT status FROM generations WHERE generation_id = :generation_id) = 'Processing'
                """,
                {
                    **_key(item),
                    "state": item.state,
                    "path": item.path,
                    "parameters": dump(item.parameters) if item.parameters is not None else None,
                    "error": item.error,
                    "seconds": item.seconds,
                },
            )

    def remember(self, item: Item, key: str, value: Any, cost: float | None = None) -> None:
        """Store one value of an item's checkpoint, and the cost in USD of the part it describes."""
        with self._write():
            jobs = self._jobs(item)
            if cost is not None:
                before = jobs.get(key, Job(key="", state="fetched"))
                # Without a job of its own it was paid for once more.
                jobs[key] = replace(before, cost=cost if before.key else cost + (before.cost or 0))
            self._database.execute(
                f"UPDATE items SET checkpoint = :checkpoint, job = :job WHERE {_THIS}",
                {
                    **_key(item),
                    "checkpoint": dump({**self._checkpoint(item), key: value}),
                    "job": _dump_jobs(jobs),
                },
            )

    def recall(self, item: Item, key: str) -> Any:
        return self._checkpoint(item).get(key)

    def _checkpoint(self, item: Item) -> dict[str, Any]:
        rows = self._read(f"SELECT checkpoint FROM items WHERE {_THIS}", _key(item))
        checkpoint: dict[str, Any] = json.loads(rows[0]["checkpoint"]) if rows else {}
        return checkpoint

    def job(self, item: Item, part: str = ITEM) -> Job | None:
        """Return the saved job of an item, or of a part of it."""
        return self._jobs(item).get(part)

    def save_job(self, item: Item, job: Job, part: str = ITEM) -> None:
        """Store a job. It stays until the order is erased, whatever its state.

        A job with another key replaces it; if it had a cost, it is kept under another name.
        """
        with self._write():
            jobs = self._jobs(item)
            before = jobs.get(part)
            if before and before.key == job.key and job.cost is None:
                job = replace(job, cost=before.cost)
            elif before and before.key != job.key and before.cost is not None:
                name = f"{part}~{before.key}"
                while name in jobs:
                    name += "~"
                jobs[name] = before
            self._update(
                f"UPDATE items SET job = :job WHERE {_THIS}",
                {**_key(item), "job": _dump_jobs({**jobs, part: job})},
            )

    def _jobs(self, item: Item) -> dict[str, Job]:
        rows = self._read(f"SELECT job FROM items WHERE {_THIS}", _key(item))
        return _load_jobs(rows[0]["job"]) if rows else {}


def item_row(item: Item) -> dict[str, Any]:
    """Return a planned item as a row."""
    return {**asdict(item), "parameters": None, "checkpoint": dump(item.checkpoint), "job": _dump_jobs(item.job)}


def _item(row: dict[str, Any]) -> Item:
    parameters = json.loads(row["parameters"]) if row["parameters"] is not None else None
    checkpoint = json.loads(row["checkpoint"])
    return Item(**{**row, "parameters": parameters, "checkpoint": checkpoint, "job": _load_jobs(row["job"])})


def _key(item: Item) -> dict[str, Any]:
    return {"generation_id": item.generation_id, "kind": item.kind, "number": item.number}


def _dump_jobs(jobs: dict[str, Job]) -> str:
    return dump({part: asdict(job) for part, job in jobs.items()})


def _load_jobs(text: str) -> dict[str, Job]:
    return {part: Job(**job) for part, job in json.loads(text).items()}
