"""What tests of pictures and of videos by diffusion models share: tasks, and having them made."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from aigen.models import catalogue
from aigen.pipelines import diffusion
from aigen.types.pipeline import Failure, Output, Task
from aigen.types.request import Options, Size
from tests.runs import Listener


def a_task(tmp_path: Path, count: int = 1, **changes: Any) -> Task:
    """So many pictures of a kite in two steps, 64 pixels a side."""
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    task = Task(
        kind="image",
        prompt="a red kite",
        style="plain",
        numbers=tuple(range(1, count + 1)),
        seeds=tuple(range(7, 7 + count)),
        size=Size(64, 64),
        work=work,
        options=Options(steps=2),
    )
    return replace(task, **changes)


def a_video_task(tmp_path: Path, count: int = 1, **changes: Any) -> Task:
    """So many videos of it, of nine frames."""
    return a_task(tmp_path, count, **{"kind": "video", "frames": 9, "fps": 8, **changes})


def make(model: Path, task: Task, listener: Listener | None = None) -> list[Output | Failure]:
    """Have a task made by the model in this folder."""
    return list(diffusion.load(catalogue.find(str(model))).generate(task, listener or Listener()))
