"""A draft from the metadata of a file."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from aigen.errors import UsageError
from aigen.types.pipeline import Provenance
from aigen.types.request import Draft, Narration

# What a parameter that is ordered again must be: as files name it, as a request does.
_FORMS: tuple[Any, ...] = (
    ("style", "style", str), ("size", "size", str), ("number", "first", int), ("steps", "steps", int),
    ("guidance", "guidance", float, int), ("negative prompt", "negative", str), ("fast", "fast", bool),
    ("guide", "guide", str), ("strength", "strength", float, int), ("duration", "duration", float, int),
    ("fps", "fps", int),
)  # fmt: skip


def _narration(told: dict[str, Any]) -> Narration:
    """How a film says that it was narrated."""
    if not isinstance(told.get("script"), str):
        raise UsageError("its script is too long to be in it: narrate that again with aigen narrate --file")
    known = {each.name for each in fields(Narration)}
    try:
        return Narration(
            **{name: value for name, value in told.items() if name in known and name != "styles"} | _styles(told)
        )
    except TypeError as error:
        raise UsageError("it says of its narration what cannot be") from error


def _styles(told: dict[str, Any]) -> dict[str, Any]:
    styles = told.get("styles")
    return {"styles": tuple(map(str, styles))} if isinstance(styles, list) and styles else {}


def reorder(provenance: Provenance, given: dict[str, Any]) -> Draft:
    """Return a draft that recreates this item. The `given` fields of the draft win.

    Given how many images or videos, it asks for so many more like it: from other seeds.
    """
    if provenance == Provenance(provenance.kind, source_type=provenance.source_type):
        raise UsageError("it does not say what made it")
    parameters = provenance.parameters
    image_model = parameters.get("picture_by")
    if image_model == "the user" and not given.get("from_picture"):
        raise UsageError("it started from a picture of yours, which is not in it: give that with --from-image")
    if parameters.get("source") == "a folder" and not {"model", f"{provenance.kind}_model"} & set(given):
        raise UsageError(
            f"it was made by a model in a folder named {provenance.model!r}: give that folder with --model"
        )
    said: dict[str, Any] = {"prompt": provenance.prompt, "model": provenance.model, "images": 0, "videos": 0}
    if image_model and image_model != "the user":
        if parameters.get("picture_source") == "a folder" and "image_model" not in given:
            raise UsageError(
                f"its picture was made by a model in a folder named {image_model!r}: "
                "give that folder with --image-model"
            )
        said["image_model"] = image_model
    said |= {name: parameters.get(name) for name in ("style", "size")}
    named = next((given[name] for name in ("model", f"{provenance.kind}_model") if given.get(name)), provenance.model)
    if named and provenance.model in (named, Path(named).name):  # else they suit another model
        # Of two models, each with settings of its own, what was asked for counts.
        asked = parameters.get("asked")
        own = parameters | {"negative": parameters.get("negative_prompt")}
        options = asked if isinstance(asked, dict) else own
        said |= {name: options.get(name) for name in ("steps", "guidance", "negative", "fast", "guide", "strength")}
    told = parameters.get("narration")
    if given.get("narrate") and (given.get("prompt") or not isinstance(told, dict)):
        style: dict[str, Any] = {"styles": (given["style"],)} if given.get("style") else {}
        said |= {"narration": Narration(script=given.get("prompt") or provenance.prompt or "", **style)}
        said |= {"fps": parameters.get("fps")} if told else {}
    elif isinstance(told, dict):
        said |= {"narration": _narration(told), "fps": parameters.get("fps")}
    elif given.get("videos", not given.get("images") and provenance.kind == "video"):
        lengths = {"duration", "fps", "frames"}
        said |= {name: parameters.get(name) for name in ("duration", "fps") if not lengths & set(given)}
    if not given.get("images") and not given.get("videos"):
        said |= {f"{provenance.kind}s": 1, "first": parameters.get("number", 1)}
        if 0 <= (provenance.seed or 0) < 2**32:  # other programs have larger ones, which mean nothing here
            said["seed"] = provenance.seed
    if given.get("from_picture"):
        said.pop("guide", None)  # which is no longer what it starts from
    request = {name: value for name, value in (said | given).items() if value is not None}
    for name, field, *forms in _FORMS:
        if field in request and type(request[field]) not in forms:
            raise UsageError(f"it says that its {name} is {request[field]!r}, which cannot be")
    if "prompt" not in request:
        raise UsageError("it says no prompt: give one")
    return Draft(**{"style": "plain"} | request)
