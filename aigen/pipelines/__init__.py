"""The registry of pipelines, and which one makes an order.

Pipelines are named here by strings and resolved only when one is needed, so that no command loads a model's libraries
to show help or a list. Other packages add theirs through the entry-point group `aigen.pipelines`: a class that is made
with the settings of the user. `PROVIDER` and `PROVIDER:MODEL` are hosted. Any other name is that of a diffusion model:
of the catalogue, a folder, or a hub id.
"""

import pkgutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from aigen.errors import UsageError
from aigen.models import catalogue, machine, weights
from aigen.pipelines import hosted
from aigen.settings import Settings
from aigen.types.pipeline import Abilities, Pipeline
from aigen.types.request import GenerationRequest, Kind, Size

if TYPE_CHECKING:
    from aigen.media.encoding import Pixels

FALLBACK = "storybook"
# What makes videos of a model's pictures that makes none itself, and what makes narrated films.
_MOTION, _NARRATOR = "motion", "narrator"

Load = Callable[[str], Pipeline]
# Draws a moving scene: prompt, style, number, seed, size, frame count, frames per second.
MovingScene = Callable[[str, str, int, int, Size, int, int], Iterator["Pixels"]]


@dataclass(frozen=True)
class Registered:
    """Location of a pipeline (`module:Class`), and the package it belongs to; None for built-in ones."""

    place: str
    package: str | None = None


_BUILT_IN = {
    FALLBACK: Registered("aigen.pipelines.storybook:Storybook"),
    _MOTION: Registered("aigen.pipelines.motion:Motion"),
    _NARRATOR: Registered("aigen.film.narrator:Narrator"),
}
# Pipelines that draw moving scenes; films need no pictures from them.
_MOVING_SCENES = {FALLBACK: "aigen.pipelines.storybook.items:film"}


@cache
def registered() -> dict[str, Registered]:
    """Return the built-in pipelines and those of other packages, by name."""
    plugins = {name: found for name, found in _plugins() if not _is_taken(name)}
    return _BUILT_IN | plugins


def ignored() -> list[tuple[str, Registered]]:
    """Return the pipelines of other packages whose name is taken, by our models or by another package."""
    return [(name, found) for name, found in _plugins() if registered().get(name) != found]


def _plugins() -> list[tuple[str, Registered]]:
    found = entry_points(group="aigen.pipelines")
    return [(point.name, Registered(point.value, point.dist.name if point.dist else "unknown")) for point in found]


def _is_taken(name: str) -> bool:
    return name in _BUILT_IN or name in catalogue.models() or name in catalogue.seeing() or hosted.is_hosted(name)


def load(name: str, settings: Settings) -> Pipeline:
    """Return the pipeline of this name. Raises UsageError if there is none or its package is broken."""
    known = registered()
    if name in known:
        return _start(name, known[name], settings)
    if hosted.is_hosted(name):
        return hosted.load(name, settings)
    model = catalogue.find(name, [*known, *hosted.names()])
    if model.sees:
        raise UsageError(
            f"model {model.name!r} sees pictures and makes none: it is for aigen describe, and --vision-model"
        )
    from aigen.pipelines import diffusion

    return diffusion.load(model)


def _start(name: str, found: Registered, settings: Settings) -> Pipeline:
    if found.package is None:
        built_in: Pipeline = pkgutil.resolve_name(found.place)(settings)
        return built_in
    from aigen.pipelines.plugin import Plugin

    return Plugin(name, found.package, found.place, settings)


def moving_scenes(name: str | None) -> MovingScene | None:
    """Return what draws moving scenes for the pipeline of this name; None if it makes only pictures."""
    if name not in _MOVING_SCENES:
        return None
    drawn: MovingScene = pkgutil.resolve_name(_MOVING_SCENES[name])
    return drawn


def introduce(pipelines: Mapping[str, Pipeline], advice: str | None = None) -> tuple[str, ...]:
    """Return what makes the items of an order, as its display says it; with the built-in one, what would be better."""
    better = {FALLBACK: f"; {advice}"} if advice else {}
    return tuple(
        f"{catalogue.display_name(name)}: {pipeline.abilities.label}{better.get(name, '')}"
        for name, pipeline in pipelines.items()
    )


def substitutions(request: GenerationRequest, used: Mapping[str, Pipeline]) -> Iterator[str]:
    """Yield what the user should know about models that were substituted."""
    image, video = request.image_model or "", request.video_model or ""
    if (
        request.images
        and image == FALLBACK
        and video in used
        and video not in (_MOTION, _NARRATOR)  # of which nobody expects images
        and "image" not in used[video].abilities.kinds
    ):
        yield f"{catalogue.display_name(video)} makes no images: those are by {image}"
    if request.from_picture and image in used and used[image].abilities.starts_from == "prompt":
        yield (
            f"{catalogue.display_name(image)} cannot start from a picture: its images are made of what is seen in yours"
        )
    if video == _MOTION and not request.from_picture and image in used and "video" not in used[image].abilities.kinds:
        yield f"{catalogue.display_name(image)} makes no videos: those are slow camera moves over its pictures"


def release() -> None:
    """Let go of the weights that this process holds, if any."""
    if loading := sys.modules.get("aigen.pipelines.diffusion.loading"):
        loading.slot.release()


def offered(load: Load, paid: bool = False) -> dict[str, Abilities]:
    """Return the models a list offers, with their abilities: registered ones and installed ones of the catalogue.

    Leaves out paid ones unless `paid`, those whose package is broken, and hosted ones without a key.
    """
    registered_ones = [name for name in registered() if name not in (_MOTION, _NARRATOR)]  # which make no pictures
    here = [name for name, model in catalogue.models().items() if weights.is_here(model)]
    bought = [name for name in hosted.names() if paid and getattr(load(name), "key_name", None)]
    found = {}
    for name in (*registered_ones, *bought, *here):
        try:
            abilities = load(name).abilities
        except UsageError:  # `aigen models` and `aigen doctor` say why
            continue
        if paid or not abilities.paid:
            found[name] = abilities
    return found


def choose(
    kind: Kind,
    asked: str | None,
    asked_for_both: str | None = None,
    default: str | None = None,
    *,
    load: Load,
    image_model: str | None = None,
    from_picture: bool = False,
    narrated: bool = False,
    paid: bool = True,
) -> tuple[str, str]:
    """The model for items of one kind, and why: the one asked for, else the user's default, else an installed one that
    suits this machine, else the built-in one. A paid one is used only if it was asked for or, if `paid`, the default.

    One that was `asked_for_both` kinds and makes only pictures has its videos made of those; where it is the default,
    or the `image_model` who makes the pictures of the same order, only if no other model suits. One that makes only
    videos leaves the pictures to the others. To start `from_picture`, nothing is chosen that could not, if there is
    another. Videos that are `narrated` are put together from pictures.
    """

    def suits(name: str) -> bool:
        abilities = load(name).abilities
        return kind in abilities.kinds and not (from_picture and abilities.starts_from == "prompt")

    if kind == "video" and narrated:
        if asked and load(asked).abilities.films:
            return hosted.resolve_film(asked) if hosted.is_hosted(asked) else asked, "asked for"
        if asked not in (None, _NARRATOR):
            raise UsageError(
                "narrated videos are put together from pictures, not by "
                f"{catalogue.display_name(asked)}: name what makes the pictures with --image-model"
            )
        return _NARRATOR, "tells the text"
    if asked:
        if kind not in load(asked).abilities.kinds:
            raise UsageError(
                f"model {catalogue.display_name(asked)!r} makes no {kind}s: name one that does with --{kind}-model"
            )
        return canonical(asked, kind, from_picture), "asked for"
    for name, reason in ((asked_for_both, "asked for"), (default, "your default (AIGEN_MODEL)")):
        if name == default and name != asked_for_both and not paid and name and load(name).abilities.paid:
            default = None
            continue
        if name == FALLBACK and kind == "video" and from_picture:
            return _MOTION, "moves over the picture"  # which storybook, that draws its own, would not show
        if name and kind in load(name).abilities.kinds and (name == asked_for_both or suits(name)):
            return canonical(name, kind, from_picture), reason
        if name == asked_for_both and name and kind == "video":
            return _MOTION, f"moves over the pictures of {catalogue.display_name(name)}, which makes no videos"
    if name := _installed(kind, suits):
        return name, "installed, and suits this machine"
    if kind == "video" and from_picture:
        return _MOTION, "moves over the picture"
    name = image_model or default or _installed("image")
    if kind == "video" and name and "video" not in load(name).abilities.kinds:
        return _MOTION, f"moves over the pictures of {catalogue.display_name(name)}, which makes no videos"
    return FALLBACK, "built in: always works"


def _installed(kind: Kind, suits: Callable[[str], bool] = lambda name: True) -> str | None:
    """The first model of the catalogue that is here, makes this kind, and suits this machine and what is wanted."""
    models = machine.installed(model for model in catalogue.models().values() if kind in model.kinds)
    return next((model.name for model in models if suits(model.name)), None)


def canonical(name: str, kind: Kind | None = None, from_picture: bool = False) -> str:
    """One name for one model, wherever the program is started: a folder's whole path, a listed model's short name.

    Of a provider, its default model for items of a `kind`, where one is given.
    """
    if hosted.is_hosted(name):
        return hosted.resolve(name, kind, from_picture) if kind else name
    try:
        return name if name in registered() else catalogue.find(name).name
    except UsageError:  # it is not ours to name
        return name
