from dataclasses import replace

import pytest

from aigen.errors import UsageError
from aigen.orders.reorder import reorder
from aigen.types.pipeline import Provenance
from aigen.types.request import Draft
from tests.media.test_provenance import WHALE


def test_one_item_is_ordered_again_as_it_was() -> None:
    assert reorder(WHALE, {}) == Draft(
        prompt="a whale, 5 stars", model="storybook", images=1, videos=0, style="night", size="16x16", seed=9, first=3
    )
    assert reorder(replace(WHALE, kind="video"), {}).videos == 1


def test_what_is_given_wins() -> None:
    request = reorder(WHALE, {"prompt": "a kite", "seed": 1, "style": "plain"})
    assert (request.prompt, request.seed, request.style, request.images, request.first) == ("a kite", 1, "plain", 1, 3)


def test_more_like_it_are_ordered_from_other_seeds() -> None:
    request = reorder(WHALE, {"videos": 4})
    assert (request.images, request.videos, request.seed, request.first) == (0, 4, None, 1)
    assert (request.prompt, request.model, request.style, request.size) == (
        "a whale, 5 stars",
        "storybook",
        "night",
        "16x16",
    )


def test_a_number_of_none_is_no_wish_for_more() -> None:
    assert reorder(WHALE, {"videos": 0}).first == 3


def test_what_is_given_also_wins_over_what_cannot_be() -> None:
    assert reorder(replace(WHALE, parameters={"size": 5}), {"size": "32x32"}).size == "32x32"


def test_a_seed_of_another_program_that_is_too_large_is_left_out() -> None:
    assert reorder(replace(WHALE, seed=2**60, model=None), {}).seed is None


def test_the_last_item_of_the_largest_order_can_be_made_again() -> None:
    last = replace(WHALE, seed=2**32 - 1, parameters={"number": 100})
    assert reorder(last, {}).seed == 2**32 - 1


@pytest.mark.parametrize(
    ("said", "named"),
    [
        (Provenance("image"), "does not say what made it"),
        (Provenance("image", source_type="digitalCapture"), "does not say what made it"),
        (Provenance("image", seed=1), "says no prompt"),
        (replace(WHALE, parameters={"size": 5}), "size is 5"),
        (replace(WHALE, parameters={"style": ["night"]}), "style"),
        (replace(WHALE, parameters={"number": 0}), "number is 0"),
        (replace(WHALE, parameters={"number": True}), "number is True"),
        (replace(WHALE, parameters={"size": "1x1"}), "1x1"),
        (replace(WHALE, kind="video", parameters={"duration": 800.0, "fps": 24}), "duration is 800 s"),
        (replace(WHALE, kind="video", parameters={"duration": "long"}), "duration is 'long'"),
        (replace(WHALE, parameters={"steps": 2.5}), "steps is 2.5"),
        (replace(WHALE, parameters={"negative_prompt": 5}), "negative prompt is 5"),
    ],
)
def test_what_cannot_be_ordered_is_refused(said: Provenance, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        reorder(said, {})
