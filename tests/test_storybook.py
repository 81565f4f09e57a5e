import json
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from aigen import pipelines
from aigen.errors import UsageError
from aigen.pipelines.storybook import Storybook, artwork, scenery
from aigen.pipelines.storybook.plan import SEASONS, SETTINGS, TIMES, WEATHERS, make_plan
from aigen.types import STYLES, Kind, Output, Run, Size, Task


def silent() -> Run:
    return Run(
        step=lambda done, total, text: None,
        say=lambda text: None,
        remember=lambda seed, key, value: None,
        recall=lambda seed, key: None,
        check=lambda: None,
    )


def make(
    folder: Path, prompt: str, kind: Kind = "image", numbers: tuple[int, ...] = (1,), **changes: object
) -> list[Output]:
    task = Task(
        kind=kind,
        prompt=prompt,
        style=str(changes.get("style", "plain")),
        numbers=numbers,
        seeds=tuple(7 + number - 1 for number in numbers),
        size=Size.parse(str(changes.get("size", "160x120"))),
        work=folder,
        frames=8 if kind == "video" else 1,
    )
    return list(Storybook().generate(task, silent()))


def things(prompt: str) -> dict[str, int]:
    return {thing.name: thing.count for thing in make_plan(prompt).objects}


# Understanding


def test_a_prompt_is_understood() -> None:
    plan = make_plan("Two cats under a full moon in the snow")
    assert things("Two cats under a full moon in the snow") == {"cat": 2, "full-moon": 1}
    assert (plan.setting, plan.time, plan.weather) == ("snow", "night", "snow")


@pytest.mark.parametrize(
    ("prompt", "name", "count"),
    [
        ("a kite", "kite", 1),
        ("five balloons", "balloon", 5),
        ("a dozen butterflies", "butterfly", 12),
        ("Three wolves howl", "wolf", 3),
        ("a red car", "automobile", 1),
        ("7 penguins", "penguin", 7),
        ("1000 bees", "honeybee", 24),
    ],
)
def test_things_and_counts(prompt: str, name: str, count: int) -> None:
    assert things(prompt)[name] == count


@pytest.mark.parametrize(
    ("prompt", "setting", "time", "weather"),
    [
        ("a boat on the sea at sunset", "open sea", "sunset", "clear"),
        ("a fox in the forest at dawn in the fog", "forest", "sunrise", "fog"),
        ("a taxi on a rainy street", "city street", "day", "rain"),
        ("a rocket", "space", "day", "clear"),
        ("a sandwich", "kitchen table", "day", "clear"),
        ("a shark", "underwater", "day", "clear"),
        ("xyzzy", "meadow", "day", "clear"),
    ],
)
def test_setting_time_and_weather(prompt: str, setting: str, time: str, weather: str) -> None:
    plan = make_plan(prompt)
    assert (plan.setting, plan.time, plan.weather) == (setting, time, weather)


def test_what_is_not_wanted_is_not_drawn() -> None:
    assert things("a beach without people") == {}
    assert things("a red car and a castle, no people") == {"automobile": 1, "castle": 1}


def test_what_is_not_understood_is_told() -> None:
    assert make_plan("a flummox and a cat").unmatched == ("flummox",)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_any_text_gives_a_plan(prompt: str) -> None:
    plan = make_plan(prompt).as_json()
    assert plan["setting"] in SETTINGS
    assert plan["time"] in TIMES
    assert plan["weather"] in {*WEATHERS, "clear"}
    assert plan["season"] in {*SEASONS, None}
    assert all(thing["name"] in artwork.index() and 1 <= thing["count"] <= 24 for thing in plan["objects"])
    json.dumps(plan)


def test_every_setting_and_style_can_be_drawn() -> None:
    assert set(scenery.SETTINGS) == set(SETTINGS)
    assert len(SETTINGS) == 24
    assert {scenery.STYLE_INSTEAD.get(style, style) for style in STYLES} == set(scenery.GRADES)


def test_every_name_in_the_tables_is_a_picture() -> None:
    known = set(artwork.index())
    scattered = {name for setting in scenery.SETTINGS.values() for name in setting.scatter}
    rows = {name for setting in scenery.SETTINGS.values() for name in setting.backdrop.split()}
    painters = {"hills", "peaks", "towers", "window", "curtains"}
    assert scattered | (rows - painters) | scenery.FLYING | scenery.AFLOAT | set(scenery.KEPT) <= known


# Drawing


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_is_drawn_at_every_time(tmp_path: Path, setting: str) -> None:
    words = SETTINGS[setting].split(",")[0]
    for number, time in enumerate(("at noon", "at sunset", "at night", "at dawn in the rain"), start=1):
        (output,) = make(tmp_path, f"a cat, {words} {time}", numbers=(number,))
        with Image.open(output.path) as image:
            assert image.size == (160, 120)
            assert len(image.getcolors(100_000) or []) > 500, f"{setting} {time} is nearly empty"


@pytest.mark.parametrize("size", ["16x16", "90x400", "400x90", "333x111"])
def test_any_size_is_drawn(tmp_path: Path, size: str) -> None:
    (output,) = make(tmp_path, "three penguins on the sea, snow", size=size)
    with Image.open(output.path) as image:
        assert str(Size(*image.size)) == size


@pytest.mark.parametrize("kind", ["image", "video"])
def test_same_seed_same_bytes_alone_or_in_a_batch(tmp_path: Path, kind: Kind) -> None:
    prompt = "two cats under a full moon in the snow"
    batch = [output.path.read_bytes() for output in make(tmp_path, prompt, kind, numbers=(1, 2, 3))]
    alone = make(tmp_path, prompt, kind, numbers=(2,))[0].path.read_bytes()
    assert alone == batch[1]
    assert len(set(batch)) == 3


def test_a_video_moves_and_does_not_jump(tmp_path: Path) -> None:
    (output,) = make(tmp_path, "a sailboat on the sea at sunset", "video", size="320x180")
    with av.open(str(output.path)) as container:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    changes = [numpy.abs(after - before).mean() for before, after in pairwise(frames)]
    assert len(frames) == 8
    assert min(changes) > 0.05, "a frozen frame"
    assert max(changes) < 12, "a jump"


def test_every_output_says_what_made_it(tmp_path: Path) -> None:
    (output,) = make(tmp_path, "a kite", numbers=(3,), style="photorealistic")
    assert output.media == "algorithmicMedia"
    assert output.seed == 9
    assert output.parameters["style"] == "cinematic"
    assert output.parameters["scene"]["objects"][0]["name"] == "kite"


def test_styles_differ(tmp_path: Path) -> None:
    seen = {
        style: make(tmp_path, "a kite", style=style)[0].path.read_bytes()
        for style in ("plain", "dramatic", "cinematic", "night")
    }
    assert len(set(seen.values())) == 4


def test_all_artwork_travels_with_its_licence() -> None:
    folder = Path(artwork.__file__).parent
    with zipfile.ZipFile(folder / "artwork.zip") as archive:
        names = archive.namelist()
    assert len(names) - 1 == len(artwork.index()) >= 1586
    assert "Microsoft" in (folder / "LICENSE").read_text()
    assert "Miles Johnson" in (folder / "LICENSE").read_text()


# The registry


def test_unknown_models_are_refused_naming_the_known() -> None:
    with pytest.raises(UsageError, match="storybook"):
        pipelines.load("nonesuch")


def test_the_model_asked_for_wins_over_the_default() -> None:
    assert pipelines.choose("image", None, None)[0] == "storybook"
    assert pipelines.choose("image", "storybook", "nonesuch")[0] == "storybook"
    with pytest.raises(UsageError, match="nonesuch"):
        pipelines.choose("image", None, "nonesuch")


def test_nothing_is_remembered_between_tasks(tmp_path: Path) -> None:
    outputs: Iterator[Output] = iter(make(tmp_path, "a kite") + make(tmp_path, "a kite"))
    assert next(outputs).parameters == next(outputs).parameters
