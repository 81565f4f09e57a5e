from dataclasses import replace
from typing import Any

import pytest

from aigen import pipelines
from aigen.errors import UsageError
from aigen.orders import lifecycle, placing
from aigen.orders.context import Context
from aigen.settings import Settings
from aigen.types.pipeline import Pipeline
from aigen.types.request import SEED_LIMIT, Draft
from tests.conftest import Scribbler, files_in


def test_a_made_user_id_is_long_and_typable(context: Context, request_two: Draft) -> None:
    first, second = (placing.place(context, request_two, None).user_id for _ in range(2))
    assert first != second
    assert len(first.replace("-", "")) == 20
    assert all(user["made"] for user in context.store.users())


def test_the_request_is_frozen_with_seed_models_and_time(context: Context) -> None:
    request = Draft(prompt="x", videos=0, notify_at="2030-01-01T00:00Z")
    frozen = placing.place(context, request, "ana").request
    assert (frozen.image_model, frozen.video_model) == ("storybook", None)
    assert 0 <= frozen.seed <= SEED_LIMIT
    assert frozen.notify_at == "2030-01-01T00:00:00+00:00"
    assert placing.resolve(context, frozen.draft()) == frozen


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"model": "nonesuch"}, "storybook"),
        ({"image_model": "nonesuch"}, "nonesuch"),
        ({"style": "cubist"}, "watercolour"),
        ({"notify_at": "25:00"}, "25:00"),
    ],
)
def test_bad_names_are_refused_naming_those_that_exist(context: Context, changes: dict[str, str], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        placing.place(replace(context, load=pipelines.load), Draft(prompt="x", **changes), "ana")  # type: ignore[arg-type]


def test_a_model_that_makes_no_videos_is_refused_for_them(context: Context, scribbler: Scribbler) -> None:
    scribbler.kinds = ("image",)
    request = Draft(prompt="x", video_model="scribbler")
    with pytest.raises(UsageError, match="makes no videos"):
        placing.resolve(context, request)
    assert placing.resolve(context, replace(request, videos=0)).image_model == "storybook"


def test_of_a_model_for_everything_that_makes_no_videos_its_pictures_are_set_in_motion(
    context: Context, scribbler: Scribbler
) -> None:
    pictures_only = replace(scribbler, kinds=("image",))

    def load(name: str, settings: Settings) -> Pipeline:
        return pictures_only if name == "scribbler" else scribbler

    context = replace(context, load=load)
    named = placing.resolve(context, Draft(prompt="x", model="scribbler"))
    assert (named.image_model, named.video_model) == ("scribbler", "motion")
    context = replace(context, settings=Settings({"AIGEN_MODEL": "scribbler"}))
    default = placing.resolve(context, Draft(prompt="x"))
    assert (default.image_model, default.video_model) == ("scribbler", "motion")


def test_videos_are_by_the_model_of_the_images_where_that_makes_both(
    context: Context, scribbler: Scribbler, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures_only = replace(scribbler, kinds=("image",))
    monkeypatch.setattr(pipelines, "_installed", lambda kind, suits=None: "pictures" if kind == "image" else None)

    def load(name: str, settings: Settings) -> Pipeline:
        return pictures_only if name == "pictures" else scribbler

    def chosen(**named: Any) -> tuple[str | None, str | None]:
        request = placing.resolve(replace(context, load=load), Draft(prompt="x", **named))
        return request.image_model, request.video_model

    assert chosen() == ("pictures", "motion")
    assert chosen(image_model="storybook") == ("storybook", "storybook")
    assert chosen(image_model="pictures") == ("pictures", "motion")
    assert chosen(video_model="storybook") == ("pictures", "storybook")


def test_an_option_that_no_model_heeds_is_refused(context: Context, scribbler: Scribbler) -> None:
    request = Draft(prompt="x", steps=3)
    with pytest.raises(UsageError, match="steps means nothing to storybook"):
        placing.resolve(context, request)
    scribbler.options = frozenset({"steps"})
    assert placing.resolve(context, request).steps == 3


def test_the_largest_seed_has_room_for_every_item(context: Context) -> None:
    request = Draft(prompt="x", images=100, videos=0, seed=SEED_LIMIT)
    order = placing.place(context, request, "ana")
    assert max(item.seed for item in context.store.items(order.generation_id)) == 2**32 - 1


def test_numbers_may_start_later_and_seeds_go_on_from_the_first(context: Context) -> None:
    order = lifecycle.generate(context, Draft(prompt="x", images=2, videos=0, seed=9, first=4), "ana")
    items = context.store.items(order.generation_id)
    assert [(item.number, item.seed) for item in items] == [(4, 9), (5, 10)]
    assert list(files_in(context.content.root)) == ["ana/image-4.png", "ana/image-5.png"]
