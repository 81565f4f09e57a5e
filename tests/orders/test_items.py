import shutil
from dataclasses import replace

import pytest

from aigen.errors import Interrupted
from aigen.media import provenance, thumbnails
from aigen.orders import lifecycle
from aigen.orders.context import Context
from aigen.types.pipeline import Provenance, Run, Task
from aigen.types.reports import Report, Said
from aigen.types.request import Draft
from tests.conftest import Scribbler, files_in, left_in_work


def test_an_order_becomes_files_and_rows(context: Context, request_two: Draft) -> None:
    order = lifecycle.generate(context, request_two, "ana")
    assert (order.status, order.generated_at, order.attempts) == ("Completed", "2026-11-21T12:00:00+00:00", 1)
    assert list(files_in(context.content.root)) == [
        "ana/image-1.png", "ana/image-2.png", "ana/video-1.mp4", "ana/video-2.mp4",
    ]  # fmt: skip
    items = context.store.items(order.generation_id)
    assert [(item.kind, item.number, item.seed, item.state) for item in items] == [
        ("image", 1, 5, "done"),
        ("image", 2, 6, "done"),
        ("video", 1, 5, "done"),
        ("video", 2, 6, "done"),
    ]
    assert items[1].parameters == {"number": 2, "style": "plain", "size": "1024x1024", "pen": "blue"}
    assert items[2].parameters == {
        "number": 1, "style": "plain", "size": "1280x720", "duration": 4.0, "fps": 24, "pen": "blue",
    }  # fmt: skip
    for item in items:
        assert item.path
        said = provenance.read(context.content.file(item.path))
        assert said == Provenance(
            item.kind, "a kite", "storybook", item.seed, "algorithmicMedia", item.parameters or {}
        )
    assert left_in_work(context.content.root) == []


def test_thumbnails_that_a_crash_prevented_are_made_when_the_order_ends(
    context: Context, request_two: Draft, scribbler: Scribbler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(thumbnails, "save_thumbnails", die)
        with pytest.raises(Interrupted):
            lifecycle.generate(context, request_two, "ana")
    assert not context.content.thumbs("ana").exists()
    (order,) = lifecycle.interrupted(context)
    lifecycle.resume(context, order.generation_id)
    assert scribbler.made.count(("image", 1)) == 1
    for item in context.store.items(order.generation_id):
        assert all(path.exists() for path in thumbnails.thumbnails(context.content, item).values())


def test_a_thumbnail_that_cannot_be_made_is_told_and_stops_nothing(context: Context, request_two: Draft) -> None:
    (context.content.root / ".thumbs").touch()
    reports: list[Report] = []
    order = lifecycle.generate(replace(context, report=reports.append), request_two, "ana")
    assert order.status == "Completed"
    said = [report.text for report in reports if isinstance(report, Said)]
    assert f"no thumbnail of {order.generation_id}-image-1.png can be made: " in said[0]
    assert left_in_work(context.content.root) == []


def test_thumbnails_of_damaged_files_do_not_keep_an_order_from_its_end(
    context: Context, request_two: Draft, scribbler: Scribbler
) -> None:
    def press(task: Task, run: Run, number: int) -> None:
        if (task.kind, number) == ("image", 2):
            raise KeyboardInterrupt

    scribbler.before = press
    with pytest.raises(Interrupted):
        lifecycle.generate(context, request_two, "ana")
    (first,) = context.content.user("ana").iterdir()
    first.write_bytes(b"")
    shutil.rmtree(context.content.root / ".thumbs")
    scribbler.before = lambda task, run, number: None
    (order,) = lifecycle.interrupted(context)
    assert lifecycle.resume(context, order.generation_id).status == "Completed"
    assert lifecycle.resume(context, order.generation_id).status == "Completed"
    assert len(list(context.content.thumbs("ana").iterdir())) == 6
