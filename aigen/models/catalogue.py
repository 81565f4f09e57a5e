"""The models that are known by a short name, as data (`catalogue.toml`),
and any other that a user names by folder or hub id.

The catalogue says what no file of a model says: its licence, what it takes to run it, and the steps, guidance and size
that suit it. Nothing here looks into a model's files (that is `weights`) or loads a library.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path, PureWindowsPath
from typing import Any, Literal

from aigen.errors import UsageError
from aigen.types.pipeline import StartsFrom
from aigen.types.request import Kind

Half = Literal["bfloat16", "float16"]

_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model as `catalogue.toml` describes it, or one that is not listed:
    then only `name` and `hub` or `folder` are known.

    `download` and `memory` are in GB: what `aigen models pull` gets, and what it takes in half precision. `half` are
    the half precisions that its numbers bear. `light`: bearable without a GPU. `guidance` 0: it was made to do without.
    `arguments` are for its diffusers pipeline. `size` is the side of a picture. One that makes nothing, of no `kinds`,
    sees pictures, and its `pipeline` is the class of transformers that it is for.

    Of a model of videos, `video` is their size, and they have `frames`, at most `max_frames`, and `fps` of them a
    second; what is not said is as usual for its pipeline (`VideoArchitecture`). A motion adapter lies in a `file` and
    adds itself to the model `base`, which is run with another `scheduler`.
    """

    name: str
    title: str
    hub: str | None = None
    folder: Path | None = None
    kinds: tuple[Kind, ...] = ("image",)
    pipeline: str | None = None
    licence: str = "not known, see its own page"
    gated: bool = False
    download: float | None = None
    memory: float | None = None
    steps: int | None = None
    guidance: float | None = None
    size: int | None = None
    half: tuple[Half, ...] = ("bfloat16", "float16")
    light: bool = False
    note: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    video: str | None = None
    frames: int | None = None
    max_frames: int | None = None
    fps: int | None = None
    base: str | None = None
    file: str | None = None
    scheduler: dict[str, Any] = field(default_factory=dict)

    @property
    def listed(self) -> bool:
        return self.name in models() | seeing()

    @property
    def sees(self) -> bool:
        """Whether it looks at pictures; such a model makes none."""
        return not self.kinds


@dataclass(frozen=True, kw_only=True)
class VideoArchitecture:
    """The videos that a pipeline of diffusers makes.

    Their sides are multiples of `multiple` pixels, and never others than `video` where they are `fixed`; they have a
    multiple of `step` frames and one more. `starts_from` is what they start from; a pipeline that starts from a prompt
    and could from a picture has the class `from_picture` for that.

    Beside the weights they take memory, in bytes and float32: `denoising` for each pixel of each frame, and `decoding`
    for each pixel of the frames that are decoded at a time (0: of all), of which there are so many, as a whole or in
    `tiles`. `full` are the parts that are float32 always.
    """

    starts_from: StartsFrom = "prompt"
    from_picture: str | None = None
    multiple: int = 16
    step: int = 4
    video: str
    fixed: bool = False
    frames: int
    max_frames: int
    fps: int
    denoising: float
    decoding: float
    at_a_time: int = 0
    tiles: bool = True
    full: tuple[str, ...] = ()

    def round_up(self, frames: int) -> int:
        """So many frames, or the next number that can be made."""
        return -(-(frames - 1) // self.step) * self.step + 1


@cache
def _read() -> dict[str, Any]:
    text = (files("aigen.models") / "catalogue.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _frozen(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}


@cache
def models() -> dict[str, Model]:
    """The models of the catalogue that make pictures or videos, by name, the ones to prefer first."""
    return {name: Model(name=name, **_frozen(entry)) for name, entry in _read()["models"].items()}


@cache
def seeing() -> dict[str, Model]:
    """The models of the catalogue that see pictures and make none, by name, the ones to prefer first."""
    return {name: Model(name=name, kinds=(), **_frozen(entry)) for name, entry in _read()["vision"].items()}


@cache
def video_architectures() -> dict[str, VideoArchitecture]:
    """What pipelines of diffusers make videos, by their class."""
    return {name: VideoArchitecture(**_frozen(entry)) for name, entry in _read()["videos"].items()}


@cache
def classes(what: str) -> frozenset[str]:
    """The diffusers pipelines that make an `image` from a prompt alone, or that can be `guided` by a picture."""
    return frozenset(_read()["classes"][what])


def tiny_decoder(pipeline: str) -> str | None:
    """The hub id of the tiny autoencoder that fits models of a diffusers pipeline, if there is one."""
    found = _read()["tiny"].get(pipeline)
    return str(found) if found else None


def tiny_decoders() -> set[str]:
    """The hub ids of all tiny autoencoders."""
    return set(_read()["tiny"].values())


def find(name: str, also: Iterable[str] = ()) -> Model:
    """The model of this name: listed, a folder, or a hub id. Raises UsageError with the nearest of these and `also`."""
    known = models() | seeing()
    if name in known:
        return known[name]
    for model in known.values():
        if model.hub == name:
            return model
    path = Path(name or "nothing")
    try:
        path = path.expanduser()
        is_folder, exists = path.is_dir(), path.exists()
    except (OSError, RuntimeError, ValueError):  # no such user, too long, a folder that nobody may read, …
        is_folder = exists = False
    if is_folder:
        path = path.resolve()
        return Model(name=str(path), title=path.name, folder=path)
    if _HUB.fullmatch(name) and not name.startswith("."):
        return Model(name=name, title=name, hub=name)
    if exists:
        raise UsageError(
            f"model {display_name(name)!r} is a file: give the folder of a model in the layout of diffusers"
        )
    if name.startswith((".", "/", "~")) or "\\" in name:
        raise UsageError(f"model {display_name(name)[:80]!r} is not there: no such folder")
    near = difflib.get_close_matches(name, [*also, *known], n=1, cutoff=0.5)
    advice = f"did you mean {near[0]}?" if near else f"choose from {', '.join([*also, *models()])}"
    raise UsageError(f"model {name[:80]!r} is not known: {advice} (all: aigen models; or give a folder or a hub id)")


def display_name(name: str) -> str:
    """A model's name as files and other people may see it: of a folder, only its own name."""
    for sort in (Path, PureWindowsPath):  # a content folder may have come from another system
        if sort(name).is_absolute():
            return sort(name).name
    return name
