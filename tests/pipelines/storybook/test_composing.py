"""Where things stand: what the plan says of them must be seen."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigen.pipelines.storybook import Storybook
from aigen.pipelines.storybook.understanding.vocabulary import tables
from aigen.types.request import Size

SIZES = [Size(192, 192), Size(256, 144)]
Box = list[float]


def boxes(prompt: str, number: int = 1, size: Size = SIZES[0]) -> dict[str, list[Box]]:
    scene = Storybook().compose(prompt, number, 7, size)
    return {thing["name"]: thing["boxes"] for thing in scene["objects"]}


def middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def is_true(kind: str, box: Box, other: Box) -> bool:
    (x, y), (to_x, to_y) = middle(box), middle(other)
    overlaps = min(box[2], other[2]) > max(box[0], other[0])
    return {
        "left of": box[2] <= other[0] + 0.02,
        "right of": box[0] >= other[2] - 0.02,
        "above": overlaps and box[3] <= other[1] + 0.02,
        "on": overlaps and y < to_y and box[3] >= other[1],
        "under": overlaps and y > to_y,
        "behind": overlaps and box[3] < other[3],
        "in front of": overlaps and box[3] > other[3],
        "next to": abs(x - to_x) < 0.75 and (box[2] <= other[0] + 0.02 or box[0] >= other[2] - 0.02),
        "inside": other[0] <= x <= other[2] and other[1] <= y <= other[3],
    }[kind]


@pytest.mark.parametrize("kind", tables.RELATIONS)
@pytest.mark.parametrize("pair", [("dog", "basket"), ("whale", "sailboat"), ("owl", "evergreen-tree")])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_relation_is_true_in_every_take(kind: str, pair: tuple[str, str], size: Size) -> None:
    one, other = pair
    words = {"evergreen-tree": "pine", "sailboat": "boat"}
    for number in range(1, 6):
        found = boxes(f"a {one} {kind} a {words.get(other, other)}", number, size)
        name = {"whale": "spouting-whale"}.get(one, one)
        assert [len(found[name]), len(found[other])] == [1, 1], f"take {number}: not to be seen"
        assert is_true(kind, found[name][0], found[other][0]), f"take {number}: {found}"


@pytest.mark.parametrize("count", [1, 2, 5, 9, 12, 17, 24])
@pytest.mark.parametrize("name", ["cat", "butterfly", "fish"])
def test_as_many_are_seen_as_are_counted(name: str, count: int) -> None:
    for number in (1, 2, 3):
        for size in SIZES:
            (found,) = boxes(f"{count} {name}{'s' if count > 1 else ''}", number, size).values()
            assert len(found) == count
            assert all(0 <= left < right <= 1 and 0 <= top < bottom <= 1 for left, top, right, bottom in found)


def test_a_size_is_seen_beside_another() -> None:
    found = boxes("a tiny elephant beside a giant ant")
    (elephant,), (ant,) = found["elephant"], found["ant"]
    assert elephant[3] - elephant[1] < ant[3] - ant[1]


def test_the_moon_is_an_object_with_a_box() -> None:
    assert len(boxes("a fox under a full moon")["full-moon"]) == 1
    assert len(boxes("the moon over the sea")["full-moon"]) == 1
    assert len(boxes("two moons over a desert")["full-moon"]) == 2


PROMPTS = st.lists(
    st.sampled_from(
        [
            "a dog", "two cats", "a castle", "24 birds", "the moon", "a giant whale", "a tiny ant", "on", "under",
            "above", "inside", "left of",
            "behind", "in front of", "next to", "at night", "underwater", "in a room", "and", "red", ",", '"Hello"',
        ]
    ),
    max_size=9,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(words=PROMPTS, number=st.integers(1, 5), size=st.sampled_from(["64x64", "16x200", "200x16", "96x54"]))
def test_whatever_is_composed_has_boxes_inside_the_picture(words: list[str], number: int, size: str) -> None:
    for found in boxes(" ".join(words), number, Size.parse(size)).values():
        for left, top, right, bottom in found:
            assert 0 <= left < right <= 1
            assert 0 <= top < bottom <= 1


def test_two_relations_to_one_thing_are_both_true() -> None:
    for number in range(1, 6):
        found = boxes("a dog left of a box and an elephant inside the box", number)
        (dog,), (box,), (elephant,) = found["dog"], found["package"], found["elephant"]
        assert is_true("left of", dog, box)
        assert is_true("inside", elephant, box)


def test_of_a_crowd_everything_gets_its_share() -> None:
    found = boxes("24 cats, 24 dogs, 24 birds", 1, Size(400, 400))
    assert all(len(some) >= 8 for some in found.values())


def test_relations_that_go_in_circles_are_drawn_all_the_same() -> None:
    found = boxes("a cat on a dog and the dog on the cat")
    assert {name: len(some) for name, some in found.items()} == {"cat": 1, "dog": 1}
