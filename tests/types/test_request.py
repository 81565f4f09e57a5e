import re

import pytest

from aigen.errors import UsageError
from aigen.types.request import (
    DEFAULT_LENGTH,
    DEFAULT_SIZES,
    Draft,
    Length,
    Size,
    check_channel,
    check_user_id,
)


@pytest.mark.parametrize("text", ["1024", "x", "15x100", "100x4097", "-5x10", "1024 x 1024", "10.5x20", "٣٢x٣٢", ""])
def test_bad_sizes_are_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError, match=r"16 to 4096"):
        Size.parse(text)


def test_a_videos_sides_are_even() -> None:
    request = Draft(prompt="x", size="101x203")
    assert request.size_for("image", DEFAULT_SIZES["image"]) == Size(101, 203)
    assert request.size_for("video", DEFAULT_SIZES["video"]) == Size(100, 202)
    assert Draft(prompt="x").size_for("video", DEFAULT_SIZES["video"]) == Size(1280, 720)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"prompt": ""}, "empty"),
        ({"prompt": " \n\t"}, "empty"),
        ({"prompt": "", "from_picture": True}, "empty"),
        ({"max_cost": -1.0}, "max cost is -1.0: give an amount in USD, such as 2.50"),
        ({"max_cost": float("nan")}, "max cost is nan"),
        ({"frames": 10, "duration": float("nan")}, "duration is nan"),
        ({"frames": 10, "duration": float("inf")}, "duration is inf"),
        ({"prompt": "x" * 2001}, "2001"),
        ({"prompt": "\udcff"}, "UTF-8"),
        ({"images": -1}, "-1"),
        ({"videos": 101}, "101"),
        ({"images": 0, "videos": 0}, "at least one"),
        ({"seed": -1}, "-1"),
        ({"seed": 2**32}, str(2**32)),
        ({"seed": 2**32 - 1}, "4294967291"),  # the fifth would not fit
        ({"first": 0}, "number"),
        ({"notify": ("pigeon",)}, "pigeon"),
    ],
)
def test_a_request_checks_its_form(arguments: dict[str, object], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        Draft(**{"prompt": "a kite", **arguments})  # type: ignore[arg-type]


def test_the_longest_prompt_is_accepted() -> None:
    assert len(Draft(prompt="x" * 2000).prompt) == 2000


@pytest.mark.parametrize("user_id", ["", "a/b", "..", "a b", "x" * 65, "ä", "a\n", "a.b", "CON:"])
def test_bad_user_ids_are_refused(user_id: str) -> None:
    with pytest.raises(UsageError, match="user id"):
        check_user_id(user_id)


def test_good_user_ids_are_accepted() -> None:
    for user_id in ("ana", "A-b_9", "x" * 64):
        check_user_id(user_id)


@pytest.mark.parametrize(
    "channel",
    [
        "",
        "email",
        "mailto:",
        "mailto:ana",
        "mailto:a@b@c",
        "mailto:a@b\nBcc: c@d",
        "mailto:a b@c",
        "mailto://ana@example.org",
        "mailto:=?utf-8?q?eve=40evil.org=2C?=a@example.org",
    ],
)
def test_bad_channels_are_refused(channel: str) -> None:
    with pytest.raises(UsageError, match="channel"):
        check_channel(channel)


def test_good_channels_are_accepted() -> None:
    for channel in ("terminal", "desktop", "mailto:ana@example.org"):
        check_channel(channel)


def length(usual: Length = DEFAULT_LENGTH, max_frames: int | None = None, **options: float) -> tuple[int, int]:
    found = Draft(prompt="x", **options).length(usual, max_frames)  # type: ignore[arg-type]
    return found.frames, found.fps


def test_a_videos_length_follows_from_two_of_duration_fps_and_frames() -> None:
    assert length() == (96, 24)
    assert length(duration=2.5) == (60, 24)
    assert length(duration=10, fps=12) == (120, 12)
    assert length(frames=49, fps=8) == (49, 8)
    assert length(frames=48) == (48, 24)
    assert length(frames=60, duration=2) == (60, 30)


def test_what_nobody_says_is_as_usual_for_the_model() -> None:
    usual = Length(81, 16)
    assert length(usual) == (81, 16)
    assert length(usual, duration=2) == (32, 16)
    assert length(usual, frames=33) == (33, 16)
    assert length(usual, fps=8) == (40, 8)
    assert length(usual, max_frames=81, fps=24) == (81, 24)
    assert length(usual, max_frames=81, duration=10) == (160, 16)  # which the model refuses
    assert length(Length(16, 8), frames=3) == (3, 8)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"duration": 0.1}, "duration is 0.1 s: a video can last 0.25 to 60 seconds"),
        ({"duration": 61}, "duration is 61 s"),
        ({"duration": float("nan")}, "duration is nan s"),
        ({"duration": float("inf")}, "duration is inf s"),
        ({"duration": -4}, "duration is -4 s"),
        ({"fps": 0}, "fps is 0: give a number from 1 to 60"),
        ({"fps": 61}, "fps is 61"),
        ({"frames": 0}, "frames is 0: give a number from 1 to 3600"),
        ({"frames": 5000}, "frames is 5000"),
        ({"frames": 600, "duration": 1}, "600 frames in 1 s are 600 a second"),
        ({"frames": 48, "duration": 2, "fps": 24}, "one too many"),
        ({"frames": 3000}, "3000 frames at 24 a second last 125 s"),
        ({"duration": 5, "videos": 0}, "duration mean something for videos only"),
    ],
)
def test_lengths_that_cannot_be_are_refused(options: dict[str, float], told: str) -> None:
    with pytest.raises(UsageError, match=re.escape(told)):
        length(**options)
