"""The registry of pipelines, and which one makes an order.

Pipelines are named here by strings and resolved only when one is needed, so that no command loads a model's libraries
to show help or a list. Other packages add theirs through the entry-point group `aigen.pipelines`. Any other name is
that of a diffusion model: of the catalogue, a folder, or a hub id.
"""

import pkgutil
import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points

from aigen.errors import UsageError
from aigen.models import catalogue, machine, weights
from aigen.types.pipeline import Pipeline
from aigen.types.request import Kind

BUILT_IN = {
    "storybook": "aigen.pipelines.storybook:Storybook",
    "motion": "aigen.pipelines.motion:Motion",
    "narrator": "aigen.film.narrator:Narrator",
}
FALLBACK = "storybook"
# What makes videos of a model's pictures that makes none itself, and what makes narrated films.
MOTION, NARRATOR = "motion", "narrator"


@cache
def registered() -> dict[str, str]:
    """Every pipeline that needs no weights of its own: its name, and where it is (`module:Class`)."""
    return {point.name: point.value for point in entry_points(group="aigen.pipelines")} | BUILT_IN


def load(name: str) -> Pipeline:
    """The pipeline of this name. Raises UsageError when there is none."""
    known = registered()
    if name in known:
        pipeline: Pipeline = pkgutil.resolve_name(known[name])()
        return pipeline
    model = catalogue.find(name, known)
    if model.sees:
        raise UsageError(
            f"model {model.name!r} sees pictures and makes none: it is for aigen describe, and --vision-model"
        )
    from aigen.pipelines import diffusion

    return diffusion.load(model)


def introduce(pipelines: Mapping[str, Pipeline]) -> tuple[str, ...]:
    """What makes the items of an order, as its display says it."""
    built_in = FALLBACK in pipelines and set(pipelines) <= {FALLBACK, MOTION, NARRATOR}
    advice = {FALLBACK: "; for Stable Diffusion: aigen models pull sd-turbo"} if built_in else {}
    return tuple(
        f"{catalogue.display_name(name)}: {pipeline.abilities.label}{advice.get(name, '')}"
        for name, pipeline in pipelines.items()
    )


def release() -> None:
    """Let go of the weights that this process holds, if any."""
    if loading := sys.modules.get("aigen.pipelines.diffusion.loading"):
        loading.slot.release()


def offered() -> list[str]:
    """The models that can be chosen from a list: the built-in ones, and those of the catalogue that are here."""
    built_in = [name for name in registered() if name not in (MOTION, NARRATOR)]  # which make no pictures
    return [*built_in, *(name for name, model in catalogue.models().items() if weights.is_here(model))]


def choose(
    kind: Kind,
    asked: str | None,
    asked_for_both: str | None = None,
    default: str | None = None,
    load: Callable[[str], Pipeline] = load,
    *,
    image_model: str | None = None,
    from_picture: bool = False,
) -> tuple[str, str]:
    """The model for items of one kind, and why: the one asked for, else the user's default, else an installed one that
    suits this machine, else the built-in one.

    One that was `asked_for_both` kinds and makes only pictures has its videos made of those; where it is the default,
    or the `image_model` who makes the pictures of the same order, only if no other model suits. One that makes only
    videos leaves the pictures to the others. To start `from_picture`, nothing is chosen that could not, if there is
    another.
    """

    def suits(name: str) -> bool:
        abilities = load(name).abilities
        return kind in abilities.kinds and not (from_picture and abilities.starts_from == "prompt")

    if asked:
        if kind not in load(asked).abilities.kinds:
            raise UsageError(
                f"model {catalogue.display_name(asked)!r} makes no {kind}s: name one that does with --{kind}-model"
            )
        return canonical(asked), "asked for"
    for name, reason in ((asked_for_both, "asked for"), (default, "your default (AIGEN_MODEL)")):
        if name == FALLBACK and kind == "video" and from_picture:
            return MOTION, "moves over the picture"  # which storybook, that draws its own, would not show
        if name and kind in load(name).abilities.kinds and (name == asked_for_both or suits(name)):
            return canonical(name), reason
        if name == asked_for_both and name and kind == "video":
            return MOTION, f"moves over the pictures of {catalogue.display_name(name)}, which makes no videos"
    if name := _installed(kind, suits):
        return name, "installed, and suits this machine"
    if kind == "video" and from_picture:
        return MOTION, "moves over the picture"
    if (
        kind == "video"
        and (name := image_model or default or _installed("image"))
        and "video" not in load(name).abilities.kinds
    ):
        return MOTION, f"moves over the pictures of {catalogue.display_name(name)}, which makes no videos"
    return FALLBACK, "built in: always works"


def _installed(kind: Kind, suits: Callable[[str], bool] = lambda name: True) -> str | None:
    """The first model of the catalogue that is here, makes this kind, and suits this machine and what is wanted."""
    models = machine.installed(model for model in catalogue.models().values() if kind in model.kinds)
    return next((model.name for model in models if suits(model.name)), None)


def canonical(name: str) -> str:
    """One name for one model, wherever the program is started: a folder's whole path, a listed model's short name."""
    try:
        return name if name in registered() else catalogue.find(name).name
    except UsageError:  # it is not ours to name
        return name
