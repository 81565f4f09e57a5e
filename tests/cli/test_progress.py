import os
import pty
import select
import subprocess
import time

import pytest

from aigen.cli.progress import Display, Estimate
from aigen.types.reports import Finished, Said, Step, Waiting
from aigen.types.rows import Item
from tests.conftest import aigen_command


def test_nothing_is_promised_before_something_was_measured() -> None:
    assert Estimate({"image": 5, "video": 5}).seconds_left() is None


def test_the_estimate_learns_from_what_each_kind_took() -> None:
    estimate = Estimate({"image": 2, "video": 2})
    estimate.advance("image", 0.5, 1.0)
    assert estimate.seconds_left() == pytest.approx(1.5 * 2 + 2 * 8)
    estimate.advance("image", 1.0, 1.0)
    estimate.finish("image")
    estimate.advance("image", 0.0, 2.0)
    estimate.finish("image")
    assert estimate.seconds_left() == pytest.approx(2 * 8)
    estimate.advance("video", 0.5, 10.0)
    assert estimate.seconds_left() == pytest.approx(30)


def test_what_was_measured_before_is_told_at_once() -> None:
    estimate = Estimate({"image": 2, "video": 3}, {"image": 10.0, "video": 20.0})
    assert estimate.seconds_left() == pytest.approx(80)
    estimate.advance("image", 0.5, 10.0)
    assert estimate.seconds_left() == pytest.approx(1.5 * 20 + 3 * 20)


def test_what_another_model_makes_is_estimated_at_its_own_pace() -> None:
    estimate = Estimate({"image": 2, "video": 5}, {"video": 1.8})
    estimate.advance("image", 0.5, 30.0)
    assert estimate.seconds_left() == pytest.approx(1.5 * 60 + 5 * 1.8)


def test_without_a_terminal_there_is_one_plain_line_an_item(capsys: pytest.CaptureFixture[str]) -> None:
    item = Item("g", "image", 1, 7, "storybook", "done", "ana/g-image-1.png")
    with Display() as display:
        display(Waiting("another order is being made"))
        display(Said("no style"))
        display(Said("no style"))
        display(Finished(item))
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.splitlines() == [
        "another order is being made",
        "no style",
        "image 1: ana/g-image-1.png (0:00 gone, ? left)",
    ]


def test_loading_is_told_and_counts_for_no_item(capsys: pytest.CaptureFixture[str]) -> None:
    item = Item("g", "image", 1, 7, "sd-turbo")
    with Display() as display:
        display(Step(item, 0, 0, "loading sd-turbo…"))
        display(Step(item, 0, 3, "reading the prompt…"))
        display(Step(item, 1, 3, "step 1 of 2"))
    assert capsys.readouterr().err.splitlines() == ["loading sd-turbo…"]


def test_a_step_that_stands_still_is_shown_as_stalled(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("aigen.cli.progress.monotonic", lambda: now)
    with Display() as display:
        now += 59
        assert "stalled" not in display._times()
        now += 2
        assert display._times() == "1:01 gone, ? left (stalled? no step for 1:01)"


@pytest.mark.system
def test_on_a_terminal_progress_names_item_step_and_times() -> None:
    """The real program on a real pseudo-terminal."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        aigen_command(
            "generate", "a kite in the rain", "--size", "640x360", "--images", 1, "--videos", 2, "--user", "ana"
        ),
        stdin=follower,
        stdout=subprocess.DEVNULL,
        stderr=follower,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"},
    )
    os.close(follower)
    seen = b""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([leader], [], [], 0.2)[0]:
            try:
                seen += os.read(leader, 65536)
            except OSError:  # the other end was closed
                break
    assert process.wait(10) == 0
    os.close(leader)
    text = seen.decode()
    assert "storybook: built-in illustrator, not a generative model" in text
    assert "video 1 of 2: frame" in text
    assert "gone" in text
    assert "left" in text
    assert "\x1b[?25h" in text, "the cursor is shown again"
