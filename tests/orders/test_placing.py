from dataclasses import replace
from typing import Any

import pytest

from aigen import pipelines
from aigen.errors import UsageError
from aigen.orders import lifecycle, placing
from aigen.orders.context import Context
from aigen.types.pipeline import Pipeline
from aigen.types.request import SEED_LIMIT, GenerationRequest
from tests.conftest import Scribbler, files_in


def test_a_made_user_id_is_long_and_typable(context: Context, request_two: GenerationRequest) -> None:
    first, second = (placing.place(context, request_two, None).user_id for _ in range(2))
    assert first != second
    assert len(first.replace("-", "")) == 20
    assert all(user["made"] for user in context.store.users())


def test_the_request_is_frozen_with_seed_models_and_time(context: Context) -> None:
    request = GenerationRequest(prompt="x", videos=0, notify_at="2030-01-01T00:00Z")
    frozen = placing.place(context, request, "ana").request
    assert (frozen.image_model, frozen.video_model, frozen.model) == ("storybook", None, None)
    assert frozen.seed is not None
    assert frozen.notify_at == "2030-01-01T00:00:00+00:00"
    assert placing.check(frozen, "ana") == frozen


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"model": "nonesuch"}, "storybook"),
        ({"image_model": "nonesuch"}, "nonesuch"),
        ({"style": "cubist"}, "watercolour"),
        ({"notify_at": "25:00"}, "25:00"),
    ],
)
def test_bad_names_are_refused_naming_those_that_exist(changes: dict[str, str], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        placing.check(GenerationRequest(prompt="x", **changes), "ana")  # type: ignore[arg-type]


def test_a_model_that_makes_no_videos_is_refused_for_them(scribbler: Scribbler) -> None:
    pictures_only = replace(scribbler, kinds=("image",))
    request = GenerationRequest(prompt="x", video_model="scribbler")
    with pytest.raises(UsageError, match="makes no videos"):
        placing.check(request, "ana", load=lambda name: pictures_only)
    assert placing.check(replace(request, videos=0), "ana", load=lambda name: pictures_only)


def test_of_a_model_for_everything_that_makes_no_videos_its_pictures_are_set_in_motion(scribbler: Scribbler) -> None:
    pictures_only = replace(scribbler, kinds=("image",))

    def load(name: str) -> Pipeline:
        return pictures_only if name == "scribbler" else scribbler

    checked = placing.check(GenerationRequest(prompt="x", model="scribbler"), "ana", load=load)
    assert (checked.image_model, checked.video_model) == ("scribbler", "motion")
    default = placing.check(GenerationRequest(prompt="x"), "ana", "scribbler", load=load)
    assert (default.image_model, default.video_model) == ("scribbler", "motion")


def test_videos_are_by_the_model_of_the_images_where_that_makes_both(
    scribbler: Scribbler, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures_only = replace(scribbler, kinds=("image",))
    monkeypatch.setattr(pipelines, "_installed", lambda kind, suits=None: "pictures" if kind == "image" else None)

    def load(name: str) -> Pipeline:
        return pictures_only if name == "pictures" else scribbler

    def chosen(**named: Any) -> tuple[str | None, str | None]:
        request = placing.check(GenerationRequest(prompt="x", **named), "ana", load=load)
        return request.image_model, request.video_model

    assert chosen() == ("pictures", "motion")
    assert chosen(image_model="storybook") == ("storybook", "storybook")
    assert chosen(image_model="pictures") == ("pictures", "motion")
    assert chosen(video_model="storybook") == ("pictures", "storybook")


def test_an_option_that_no_model_heeds_is_refused(scribbler: Scribbler) -> None:
    request = GenerationRequest(prompt="x", steps=3)
    with pytest.raises(UsageError, match="steps means nothing to storybook"):
        placing.check(request, "ana", load=lambda name: scribbler)
    heeding = replace(scribbler, options=frozenset({"steps"}))
    assert placing.check(request, "ana", load=lambda name: heeding).steps == 3


def test_the_largest_seed_has_room_for_every_item(context: Context) -> None:
    request = GenerationRequest(prompt="x", images=100, videos=0, seed=SEED_LIMIT)
    order = placing.place(context, request, "ana")
    assert max(item.seed for item in context.store.items(order.generation_id)) == 2**32 - 1


def test_numbers_may_start_later_and_seeds_go_on_from_the_first(context: Context) -> None:
    order = lifecycle.generate(context, GenerationRequest(prompt="x", images=2, videos=0, seed=9, first=4), "ana")
    items = context.store.items(order.generation_id)
    assert [(item.number, item.seed) for item in items] == [(4, 9), (5, 10)]
    assert list(files_in(context.content.root)) == ["ana/image-4.png", "ana/image-5.png"]
