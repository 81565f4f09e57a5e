"""Seeing: what is in a picture of the user's, by the built-in networks or by a model from the hub.

`load` gives who looks, by name: the built-in one is always here and loads no torch; those of the catalogue are got by
`aigen models pull`. All of them say what they saw in the same words (`types.seen`). `describe` looks at a file,
`describe_picture` at a picture that was read already.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from aigen.errors import UsageError
from aigen.models import catalogue, machine, weights
from aigen.models.catalogue import Model
from aigen.models.weights import Contents
from aigen.types.seen import Detection, ImageDescription

if TYPE_CHECKING:
    from PIL.Image import Image

    from aigen.vision.facts import Facts

BUILT_IN = "nanodet"
USUAL_SIDE = 1024


class VisionModel(Protocol):
    """Looks at an upright RGB picture of any size. `label` says in a few words what it is.

    One that needs the longer side of a picture to be other than USUAL_SIDE has it as `side`.
    """

    @property
    def label(self) -> str: ...

    def see(self, picture: "Image") -> ImageDescription: ...


def load(name: str) -> VisionModel:
    """Who goes by this name, or lies in this folder. Raises UsageError when there is nobody, or not here."""
    if name == BUILT_IN:
        from aigen.vision.nanodet import NanoDet

        return NanoDet()
    model, contents = _find(name)
    if contents.pipeline == "DFineForObjectDetection":
        from aigen.vision.dfine import DFine

        return DFine(catalogue.display_name(model.name), contents)
    from aigen.vision.florence import Florence

    return Florence(catalogue.display_name(model.name), contents)


def names() -> list[str]:
    """Who can look here: the built-in one, and those of the catalogue that have been got."""
    return [BUILT_IN, *(name for name, model in catalogue.seeing().items() if weights.is_here(model))]


def choose(asked: str | None) -> str:
    """Who looks: the one asked for, else one of the catalogue that is here
    and suits this machine, else the built-in one.

    Raises UsageError when there is nobody of the name asked for, or not here.
    """
    if asked:
        return asked if asked == BUILT_IN else _find(asked)[0].name
    return next((model.name for model in machine.installed(catalogue.seeing().values())), BUILT_IN)


def release() -> None:
    """Let go of the weights from the hub that this process holds, if any."""
    if hub := sys.modules.get("aigen.vision.hub"):
        hub.slot.release()


def _find(name: str) -> tuple[Model, Contents]:
    """A model from the hub or in a folder, and what is here of it.

    Raises UsageError when it is not here, or sees nothing.
    """
    choice = f"choose from {', '.join([BUILT_IN, *catalogue.seeing()])}, or give the folder of such a model"
    try:
        model = catalogue.find(name)
    except UsageError:
        raise UsageError(f"vision model {catalogue.display_name(name)[:80]!r} is not known: {choice}") from None
    if model.listed and not model.sees:
        raise UsageError(f"model {model.name!r} makes pictures and sees none: {choice}")
    contents = weights.find(model)
    if contents.pipeline not in weights.SEEING:
        raise UsageError(
            f"model {catalogue.display_name(model.name)!r} holds a {contents.pipeline}, which sees nothing: {choice}"
        )
    return model, contents


def describe(
    path: Path, model: VisionModel | None = None, *, camera: bool = True, name: str | None = None
) -> ImageDescription:
    """What is in a picture file of the user's, called `name` if it has another, with what the file says of itself.

    With `camera`, that is also when and with what it was taken. Without a model, the built-in one looks. Boxes are in
    pixels of the full upright picture, however small a copy was looked at. Raises UsageError as `uploads.read` does.
    """
    from aigen.media import uploads
    from aigen.vision import facts

    model = model or load(BUILT_IN)
    picture, size = uploads.glance(path, getattr(model, "side", USUAL_SIDE), name=name)  # first: it checks the file
    return _enlarged(describe_picture(picture, facts.read(path, camera=camera), model), size)


def read(path: Path) -> "tuple[Image, ImageDescription]":
    """Return a user's picture as pixels, and its description by the built-in network, without camera data.

    Raises PictureError.
    """
    from aigen.media import uploads
    from aigen.vision import facts

    picture, copy = uploads.read_with_copy(path, USUAL_SIDE)
    seen = describe_picture(copy, facts.read(path, camera=False), load(BUILT_IN))
    return picture, _enlarged(seen, picture.size)


def describe_picture(picture: "Image", facts: "Facts", model: VisionModel) -> ImageDescription:
    """What is in a picture that was read already, with what its file was found to say."""
    seen = model.see(picture)
    return replace(
        seen,
        caption=facts.prompt or seen.caption,
        facts=" ".join(facts.sentences),
        source_type=facts.source_type,
    )


def _enlarged(seen: ImageDescription, size: tuple[int, int]) -> ImageDescription:
    """The same, with sizes and boxes as in a copy of this size."""
    width, height = size
    across, down = width / seen.width, height / seen.height

    def enlarge(detection: Detection) -> Detection:
        left, top, right, bottom = detection.box
        box = round(left * across), round(top * down), round(right * across), round(bottom * down)
        return replace(detection, box=box)

    return replace(seen, width=width, height=height, objects=tuple(map(enlarge, seen.objects)))
