import shutil
from pathlib import Path

import pytest

from aigen.content import ContentFolder, publish
from aigen.errors import ContentError
from aigen.orders import lifecycle
from aigen.orders.context import Context
from aigen.types.pipeline import Run, Task
from aigen.types.request import Draft
from tests.conftest import Scribbler


def test_publish_moves_a_file_whole(tmp_path: Path) -> None:
    made, final = tmp_path / "made", tmp_path / "user" / "final"
    made.write_bytes(b"whole")
    publish(made, final)
    assert (final.read_bytes(), made.exists()) == (b"whole", False)


@pytest.mark.parametrize("name", ["ana", ".thumbs", ".thumbs/ana", ".work"])
def test_a_folder_that_is_a_link_is_not_written_through(
    content: ContentFolder, context: Context, scribbler: Scribbler, tmp_path: Path, name: str
) -> None:
    (elsewhere := tmp_path / "elsewhere").mkdir()
    link = content.root / name
    link.parent.mkdir(exist_ok=True)
    if link.exists():
        shutil.rmtree(link)
    link.symlink_to(elsewhere)
    with pytest.raises(ContentError, match=f"{name}' is a link: put a folder in its place"):
        lifecycle.generate(context, Draft(prompt="a kite", images=1, videos=0), "ana")
    assert {path.suffix for path in elsewhere.iterdir()} <= {".lock"}
    assert context.store.generations() == []


def test_a_folder_that_becomes_a_link_while_an_order_is_made_is_not_written_through(
    content: ContentFolder, context: Context, scribbler: Scribbler, tmp_path: Path
) -> None:
    (elsewhere := tmp_path / "elsewhere").mkdir()

    def link(task: Task, run: Run, number: int) -> None:
        content.user("ana").symlink_to(elsewhere)

    scribbler.before = link
    with pytest.raises(ContentError, match="ana' is a link: put a folder in its place"):
        lifecycle.generate(context, Draft(prompt="a kite", images=1, videos=0), "ana")
    assert list(elsewhere.iterdir()) == []
