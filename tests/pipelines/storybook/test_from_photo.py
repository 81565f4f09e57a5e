"""Pictures of what is seen in a photograph: at its places, with what the words add;
and the photograph itself in a style.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

from aigen.errors import GenerationError
from aigen.pipelines.storybook import Storybook, artwork
from aigen.pipelines.storybook.drawing import scenery
from aigen.pipelines.storybook.drawing.grading import GRADERS, grade
from aigen.pipelines.storybook.scene import Scene
from aigen.pipelines.storybook.understanding import from_photo
from aigen.pipelines.storybook.understanding.from_photo import picture_of, plan_of
from aigen.types.pipeline import Output, Task
from aigen.types.request import Size
from aigen.types.seen import Detection, ImageDescription, common_area
from aigen.types.styles import STYLES, STYLES_IN_TURN
from tests.conftest import patiently
from tests.runs import Listener

COCO = (
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,"
    "bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,"
    "skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,"
    "wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,"
    "chair,couch,potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,"
    "toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush"
).split(",")
UNDRAWN = {name for name, picture in from_photo.PICTURES.items() if not picture}
SIZE = Size(192, 144)
Boxes = Sequence[tuple[str, tuple[int, int, int, int]]]
BUS: Boxes = [("bus", (90, 90, 720, 500)), ("person", (190, 290, 275, 545)), ("person", (420, 300, 500, 560))]


def seen_of(objects: Boxes, caption: str = "", colours: tuple[str, ...] = ("grey", "blue")) -> ImageDescription:
    detections = tuple(Detection(name, 0.8, box) for name, box in objects)
    return ImageDescription(width=800, height=600, objects=detections, caption=caption, colours=colours)


STREET = seen_of(BUS, "two people in front of a bus")


def boxes_of(
    seen: ImageDescription, number: int = 1, prompt: str = "", size: Size = SIZE
) -> dict[str, list[list[float]]]:
    photo_plan = plan_of(prompt or seen.prompt, seen)
    found = Scene(photo_plan.plan, "plain", number, 7, size, photo_plan).boxes()
    return {thing.name: boxes for thing, boxes in zip(photo_plan.plan.objects, found, strict=True)}


def names(prompt: str, seen: ImageDescription = STREET) -> dict[str, int]:
    return {thing.name: thing.count for thing in plan_of(prompt, seen).plan.objects}


def make(
    folder: Path, seen: ImageDescription | None, prompt: str = "", **changes: object
) -> tuple[list[Output], list[str]]:
    source = folder / "source.png"
    if not source.exists():
        rows = numpy.linspace((60, 120, 200), (90, 140, 60), 120).astype(numpy.uint8)
        Image.fromarray(numpy.repeat(rows[:, None], 160, axis=1)).save(source)
    task = Task(
        kind="image",
        prompt=prompt or (seen.prompt if seen else "a picture"),
        style="plain",
        numbers=(1, 2),
        seeds=(7, 8),
        size=Size(96, 72),
        work=folder,
        from_picture=True,
        source=source,
        seen=seen,
        styles=("plain", "watercolour"),
    )
    listener = Listener()
    return list(Storybook().generate(replace(task, **changes), listener)), listener.said  # type: ignore[arg-type]


# What is seen


def test_every_name_of_coco_has_a_picture_or_is_said_to_have_none() -> None:
    assert len(COCO) == 80
    assert set(COCO) >= UNDRAWN
    for name in COCO:
        assert (name in UNDRAWN) == (picture_of(name) == "")
        assert name in UNDRAWN or picture_of(name) in artwork.index()
    assert set(from_photo.RIDING.values()) | set(from_photo.PEOPLE) | {from_photo.IN_FLIGHT} <= set(artwork.index())
    assert set(from_photo.SETTINGS) <= set(scenery.SETTINGS)


def test_the_words_of_the_caption_add_nothing() -> None:
    assert names(STREET.caption) == {"bus": 1, "person-standing": 1, "woman-standing": 1}
    for name in COCO:
        seen = seen_of([(name, (200, 150, 600, 500))], f"a {name}")
        pictures = {picture_of(name)} - {""}
        birds = {from_photo.IN_FLIGHT} if name == "bird" else set()
        assert set(names(seen.prompt, seen)) <= pictures | birds


def test_what_words_name_is_added_once_and_says_what_is_seen() -> None:
    assert names("two people in front of a bus, and a dog")["dog"] == 1
    astronauts = names("two astronauts in front of a bus at night")
    assert astronauts == {"bus": 1, "astronaut": 2}
    plan = plan_of("a sleeping cat", seen_of([("cat", (0, 0, 800, 600))], "a cat")).plan
    assert [(thing.name, thing.count, thing.action) for thing in plan.objects] == [("cat", 1, "sleep")]


def test_what_is_not_wanted_is_not_drawn() -> None:
    assert names("a bus without people") == {"bus": 1}


def test_other_detectors_names_are_read_as_words() -> None:
    assert picture_of("lighthouse") == picture_of("a lighthouse") != "zorgblatt"
    assert names("x", seen_of([("castle", (100, 100, 700, 500))])) == {"castle": 1}
    assert plan_of("x", seen_of([("zorgblatt", (100, 100, 700, 500))])).missing == ("zorgblatt",)


@pytest.mark.parametrize(
    ("objects", "colours", "setting"),
    [
        (BUS, ("grey",), "city street"),
        ([("cup", (280, 220, 520, 450)), ("dining table", (0, 250, 800, 600))], ("brown",), "kitchen table"),
        ([("boat", (220, 200, 560, 430)), ("person", (330, 300, 370, 390))], ("blue",), "open sea"),
        ([("couch", (60, 300, 480, 540)), ("tv", (560, 180, 760, 320))], ("white",), "room"),
        ([("bird", (60, 100, 120, 140)), ("bird", (300, 200, 360, 240))], ("blue",), "sky"),
        ([("cow", (60, 300, 480, 540))], ("green",), "meadow"),
        ([("cat", (0, 0, 800, 600))], ("brown",), "room"),
        ([("dog", (0, 0, 800, 600))], ("green",), "meadow"),
        ([("person", (110, 40, 700, 600))], ("orange",), "studio"),
    ],
)
def test_the_setting_is_where_such_things_are_seen(objects: Boxes, colours: tuple[str, ...], setting: str) -> None:
    assert plan_of("x", seen_of(objects, "x", colours)).plan.setting == setting


def test_words_set_the_scene() -> None:
    plan = plan_of("two people in front of a bus at night in the snow", STREET).plan
    assert (plan.setting, plan.time, plan.weather) == ("snow", "night", "snow")


def test_who_rides_is_one_picture() -> None:
    seen = seen_of([("person", (300, 120, 470, 470)), ("bicycle", (250, 300, 540, 560))], "a person on a bicycle")
    assert names(seen.prompt, seen) == {"person-biking": 1}


# Where it is


@pytest.mark.parametrize("number", [1, *patiently(2, 3, 4, 5)])
def test_things_are_where_they_are_in_the_photograph(number: int) -> None:
    for name, expected in (("bus", BUS[0]), ("person-standing", BUS[1]), ("woman-standing", BUS[2])):
        (box,) = boxes_of(STREET, number)[name]
        left, top, right, bottom = (part / side for part, side in zip(expected[1], (800, 600) * 2, strict=True))
        assert abs((box[0] + box[2]) - (left + right)) / 2 < 0.05
        assert abs(box[3] - bottom) < 0.06
        assert 0.7 < (box[3] - box[1]) / (bottom - top) < 1.25
    found = boxes_of(STREET, number)
    assert found["bus"][0][3] < found["person-standing"][0][3]  # they stand before it


@pytest.mark.parametrize("size", [Size(192, 108), Size(120, 192)], ids=str)
def test_nothing_is_lost_where_the_photograph_is_cut(size: Size) -> None:
    objects: Boxes = [("dog", (5, 400, 120, 530)), ("person", (360, 200, 450, 520)), ("car", (600, 320, 798, 480))]
    found = boxes_of(seen_of(objects), size=size)
    assert {name: len(boxes) for name, boxes in found.items()} == {"dog": 1, "person-standing": 1, "automobile": 1}
    left, middle, right = (found[name][0] for name in ("dog", "person-standing", "automobile"))
    assert left[0] + left[2] < middle[0] + middle[2] < right[0] + right[2]


def test_who_stands_low_in_a_tall_photograph_is_seen_in_a_wide_frame() -> None:
    objects = (Detection("person", 0.8, (220, 420, 360, 640)), Detection("car", 0.8, (20, 390, 200, 636)))
    found = boxes_of(ImageDescription(width=480, height=640, objects=objects), size=Size(192, 108))
    assert {name: len(boxes) for name, boxes in found.items()} == {"person-standing": 1, "automobile": 1}


@pytest.mark.parametrize("number", [2, *patiently(1, 5)])
def test_any_boxes_make_a_sane_picture(number: int) -> None:
    crowd: Boxes = [
        ("person", (20 + 37 * at, 200 + at * 53 % 120, 90 + 37 * at, 420 + at * 31 % 170)) for at in range(20)
    ]
    strange: list[Boxes] = [crowd, [("cat", (0, 0, 800, 600))], [("sports ball", (500, 480, 506, 487))]]
    strange += [[("dog", (-20, 500, 80, 640))], [("bird", (400, 300, 400, 300))], [("cup", (0, 0, 800, 3))] * 4]
    for objects in strange:
        seen = seen_of(objects)
        found = [box for boxes in boxes_of(seen, number).values() for box in boxes]
        assert len(found) >= len(objects) * 0.9
        assert all(0 <= left < right <= 1 and 0 <= top < bottom <= 1 for left, top, right, bottom in found)
        assert all(right - left > 0.02 and bottom - top > 0.02 for left, top, right, bottom in found)


def test_who_is_in_a_boat_is_in_it() -> None:
    seen = seen_of([("boat", (220, 200, 560, 430)), ("person", (330, 300, 370, 390))])
    found = boxes_of(seen)
    (person,), (boat,) = found["person-standing"], found["sailboat"]
    assert common_area((person[0], person[1], person[2], person[3]), (boat[0], boat[1], boat[2], boat[3])) > 0
    assert person[3] < boat[3]


def test_the_same_is_drawn_again_and_takes_differ(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"numbers": (1, 3, 1), "seeds": (7, 7, 7)}
    one, other, again = (made.path for made in make(tmp_path, STREET, **changes)[0])
    assert one == again
    assert one.read_bytes() != other.read_bytes()
    before = one.read_bytes()
    make(tmp_path, STREET, **changes)
    assert one.read_bytes() == before


# The items of an order


def test_one_of_five_is_the_picture_itself(tmp_path: Path) -> None:
    made, told = make(tmp_path, STREET, numbers=(1, 3, 6, 8), seeds=(1, 2, 3, 4), styles=STYLES_IN_TURN)
    assert [each.source_type for each in made] == ["algorithmicMedia", "algorithmicallyEnhanced"] * 2
    assert made[1].parameters == {"style": "photorealistic", "graded": "the picture itself"}
    assert made[0].parameters["style"] == "plain"
    things = made[0].parameters["scene"]["objects"]
    assert [(thing["name"], len(thing["boxes"])) for thing in things] == [
        ("bus", 1), ("person-standing", 1), ("woman-standing", 1),
    ]  # fmt: skip
    assert told == []
    with Image.open(made[1].path) as picture:
        assert picture.size == (96, 72)


def test_where_nothing_is_recognised_all_are_the_picture_itself(tmp_path: Path) -> None:
    made, told = make(tmp_path, seen_of([]))
    assert [each.parameters for each in made] == [
        {"style": style, "graded": "the picture itself"} for style in ("plain", "watercolour")
    ]
    assert "recognises nothing" in told[0]
    alike, _ = make(tmp_path, seen_of([]), numbers=(1, 2, 3, 4, 5), seeds=(1,) * 5, styles=())
    assert len({each.path.read_bytes() for each in alike}) == 5  # each another part of it


def test_words_alone_make_a_scene_too(tmp_path: Path) -> None:
    made, _ = make(tmp_path, seen_of([]), "a fox in the snow", numbers=(1,), seeds=(1,))
    assert [thing["name"] for thing in made[0].parameters["scene"]["objects"]] == ["fox"]


def test_what_is_not_drawn_is_told(tmp_path: Path) -> None:
    seen = seen_of([*BUS, ("fire hydrant", (20, 400, 80, 540))], "two people in front of a bus and a fire hydrant")
    assert make(tmp_path, seen)[1] == ["storybook has no picture of: fire hydrant"]
    told = make(tmp_path, STREET, "two people in front of a bus, blurbish")[1]
    assert [text.split(";")[0] for text in told] == ["storybook could not place: blurbish"]
    told = make(tmp_path, STREET, styles=("photorealistic",))[1]
    assert told == ["storybook has no style 'photorealistic': it draws 'cinematic' instead"]
    assert make(tmp_path, STREET, styles=("photorealistic",), numbers=(3,), seeds=(1,))[1] == []


def test_videos_are_scenes_in_motion(tmp_path: Path) -> None:
    made, _ = make(tmp_path, STREET, kind="video", frames=4, numbers=(2,), seeds=(1,))
    assert made[0].path.suffix == ".mp4"
    assert made[0].parameters["scene"]["objects"]


def test_a_pool_draws_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = [made.path.read_bytes() for made in make(tmp_path, STREET)[0]]
    monkeypatch.setattr("aigen.pipelines.storybook.pool.pool_size", lambda task: 2)
    together = sorted(make(tmp_path, STREET)[0], key=lambda made: made.seed)
    assert [made.path.read_bytes() for made in together] == alone


def test_a_picture_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="is gone"):
        make(tmp_path, STREET, source=tmp_path / "none.png")


def test_the_plan_has_what_is_seen() -> None:
    plan = Storybook().plan("at night", STREET)
    assert [thing["name"] for thing in plan["objects"]] == ["bus", "person-standing", "woman-standing"]
    assert plan["time"] == "night"
    assert Storybook().plan("a dog") == Storybook().plan("a dog", None)


# The picture itself


def photograph(width: int = 96, height: int = 64) -> Image.Image:
    """Hills, a sky, and something bright in it."""
    across, down = numpy.meshgrid(numpy.linspace(0, 1, width), numpy.linspace(0, 1, height))
    land = down > 0.6 + 0.1 * numpy.sin(across * 9)
    red = numpy.where(land, 90 + 60 * across, 120 + 90 * down)
    green = numpy.where(land, 130 - 40 * down, 160 + 40 * down)
    blue = numpy.where(land, 60, 230)
    pixels = numpy.stack([red, green, blue], axis=2)
    pixels[(across - 0.7) ** 2 + (down - 0.25) ** 2 < 0.01] = (255, 250, 220)
    return Image.fromarray(pixels.astype(numpy.uint8))


def test_every_style_has_a_grade() -> None:
    assert set(GRADERS) == set(STYLES)


@pytest.mark.parametrize("style", STYLES)
def test_a_grade_keeps_size_and_is_the_same_again(style: str) -> None:
    picture = photograph()
    graded = grade(picture, style, 3)
    assert (graded.size, graded.mode) == (picture.size, "RGB")
    assert graded.tobytes() == grade(picture, style, 3).tobytes()
    for size in ((1, 1), (3, 2), (5, 90)):
        assert grade(picture.resize(size), style).size == size
    for flat in ("black", "white"):
        assert grade(Image.new("RGB", (40, 30), flat), style).size == (40, 30)


def test_grades_do_what_their_names_say() -> None:
    picture = photograph(192, 128)
    graded = {style: numpy.asarray(grade(picture, style), float) for style in STYLES}
    before = numpy.asarray(picture, float)
    assert abs(graded["plain"] - before).mean() < 6
    assert graded["night"].mean() < before.mean() * 0.6
    assert graded["dramatic"].std() > before.std()
    assert graded["cinematic"][:8].max() == graded["cinematic"][-8:].max() == 0
    for style in ("watercolour", "poster"):  # have a margin of paper
        assert graded[style][0].min() > 200
    flat = {tuple(colour) for colour in (graded["paper-cut"] // 32).reshape(-1, 3)}
    assert len(flat) < 90
    different = [abs(graded[one] - graded[other]).mean() for one in STYLES for other in STYLES if one < other]
    assert min(different) > 2
