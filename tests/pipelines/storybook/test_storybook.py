import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest
from PIL import Image

from aigen import pipelines
from aigen.errors import UsageError
from aigen.pipelines.storybook import Storybook, artwork
from aigen.pipelines.storybook.drawing import anatomy, backdrops, bodies, interiors, pictures, scenery
from aigen.pipelines.storybook.moving.effects import PUFFS, SIGNS
from aigen.pipelines.storybook.understanding.vocabulary import tables
from aigen.pipelines.storybook.understanding.vocabulary.tables import SETTINGS
from aigen.types.pipeline import Output, Task
from aigen.types.request import Kind, Size
from aigen.types.styles import STYLES
from tests.conftest import load
from tests.runs import Listener


def make(
    folder: Path, prompt: str, kind: Kind = "image", numbers: tuple[int, ...] = (1,), **changes: object
) -> list[Output]:
    folder.mkdir(exist_ok=True)
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
    return list(Storybook().generate(task, Listener()))


def test_every_setting_and_style_can_be_drawn() -> None:
    assert set(scenery.SETTINGS) == set(SETTINGS)
    assert {scenery.STYLE_INSTEAD.get(style, style) for style in STYLES} == set(scenery.GRADES)
    assert set(scenery.STYLE_INSTEAD) == {"photorealistic"}


def test_every_name_in_the_tables_is_a_picture() -> None:
    known = set(artwork.index())
    settings = scenery.SETTINGS.values()
    assert {name for setting in settings for name in (*setting.scatter, *setting.rows)} <= known
    assert {setting.far for setting in settings} - {""} <= set(backdrops.FAR) | set(interiors.FAR)
    assert known >= scenery.FLYING | scenery.AFLOAT | scenery.PINNED
    for table in (anatomy.WHEELS, anatomy.WINGS, anatomy.ROTORS, anatomy.LIGHTS, anatomy.HEADS, anatomy.WORN, PUFFS):
        assert set(table) <= known
    for kept in (
        pictures.KEPT,
        pictures.KEYED,
        pictures.WHOLE,
        pictures.HEADS_ON,
        bodies.FACES,
        bodies.ROBOTS,
    ):
        assert set(kept) <= known
    assert pictures.DOUBLED | bodies.HEADS | set(pictures.WHOLE.values()) | anatomy.SPOKED <= known
    assert set(tables.WORN) == set(anatomy.WORN)
    assert {name for names in SIGNS.values() for name in names} <= known


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


def test_every_output_says_what_made_it(tmp_path: Path) -> None:
    (output,) = make(tmp_path, "a kite", numbers=(3,), style="photorealistic")
    assert output.source_type == "algorithmicMedia"
    assert output.seed == 9
    assert output.parameters["style"] == "cinematic"
    (kite,) = output.parameters["scene"]["objects"]
    assert kite["name"] == "kite"
    ((left, top, right, bottom),) = kite["boxes"]
    assert 0 <= left < right <= 1
    assert 0 <= top < bottom <= 1


def test_night_as_a_style_is_night_in_the_plan(tmp_path: Path) -> None:
    (output,) = make(tmp_path, "a kite", style="night")
    assert output.parameters["scene"]["time"] == "night"


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ("a kite and a flummox", "could not place: flummox; a generative model would try"),
        ("猫在雪地里", "cannot read this language"),
        ('a cat saying "猫猫"', "no letters for the caption"),
    ],
)
def test_what_is_not_in_the_plan_is_told_in_a_line(tmp_path: Path, prompt: str, told: str) -> None:
    listener = Listener()
    task = Task(kind="image", prompt=prompt, style="plain", numbers=(1,), seeds=(7,), size=Size(64, 48), work=tmp_path)
    list(Storybook().generate(task, listener))
    (line,) = listener.said
    assert told in line


def test_a_caption_is_set_in_type(tmp_path: Path) -> None:
    with_caption, without = (
        Image.open(make(tmp_path / name, f"a cat{text}", size="320x240")[0].path).convert("RGB")
        for name, text in (("a", ' saying "Hello"'), ("b", ""))
    )
    low = (60, 200, 260, 232)
    white = [int((numpy.asarray(image.crop(low)) == 255).all(axis=2).sum()) for image in (with_caption, without)]
    assert white[0] > 100 > white[1]


def test_styles_differ(tmp_path: Path) -> None:
    seen = {style: make(tmp_path, "a kite", style=style)[0].path.read_bytes() for style in scenery.GRADES}
    assert len(set(seen.values())) == len(scenery.GRADES)


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
        load("nonesuch")


def test_the_model_asked_for_wins_over_the_default() -> None:
    assert pipelines.choose("image", None, load=load)[0] == "storybook"
    assert pipelines.choose("image", "storybook", "nonesuch", load=load)[0] == "storybook"
    with pytest.raises(UsageError, match="nonesuch"):
        pipelines.choose("image", None, "nonesuch", load=load)


def test_nothing_is_remembered_between_tasks(tmp_path: Path) -> None:
    outputs: Iterator[Output] = iter(make(tmp_path, "a kite") + make(tmp_path, "a kite"))
    assert next(outputs).parameters == next(outputs).parameters
