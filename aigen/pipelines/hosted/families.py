"""What hosted providers offer, read from `models.toml` and `prices.toml`: models, sizes, durations, prices."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from aigen.types.pipeline import StartsFrom
from aigen.types.request import KINDS, Kind, Size

# Seconds that an order waits for a job whose model has no deadline of its own.
DEADLINE = 1800.0
# Seconds of a hosted video, unless the user says otherwise.
DURATION = 5


@dataclass(frozen=True, kw_only=True)
class Family:
    """What the models of one family can do. `models.toml` explains the fields.

    The family of an unknown model has neither sizes nor durations: it takes what is asked for.
    """

    models: tuple[str, ...] = ("*",)
    kinds: tuple[Kind, ...] = KINDS
    starts_from: StartsFrom = "either"
    sizes: tuple[Size, ...] = ()
    picture_sizes: tuple[Size, ...] | None = None
    step: int | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    durations: tuple[int, ...] = ()
    seed: bool = False
    films: bool = False
    prompt_limit: int | None = None
    deadline: float = DEADLINE
    retires: date | None = None
    successor: str | None = None
    instead: str | None = None

    @property
    def duration(self) -> int:
        """The usual duration of a video in seconds."""
        return min(self.durations, key=lambda seconds: abs(seconds - DURATION), default=DURATION)

    def size(self, wanted: Size, from_picture: bool) -> Size | None:
        """Return the size to ask for: the nearest shape, then the nearest number of pixels.

        None: the provider decides.
        """
        if self.step:
            return self._any_size(wanted)
        sizes = self.sizes if self.picture_sizes is None or not from_picture else self.picture_sizes
        if not sizes:
            return None if self.picture_sizes is not None and from_picture else wanted
        return min(sizes, key=lambda size: (round(_distance(size, wanted), 2), abs(_pixels(size) - _pixels(wanted))))

    def _any_size(self, wanted: Size) -> Size:
        """Return the nearest size in whole steps within the limits."""
        step, ratio = self.step or 1, self.limits.get("ratio", math.inf)
        shape = min(max(wanted.width / wanted.height, 1 / ratio), ratio)
        pixels = min(float(_pixels(wanted)), self.limits.get("pixels", math.inf))
        height = math.sqrt(pixels / shape)
        width, height = (max(step, round(side / step) * step) for side in (height * shape, height))
        while width * height > self.limits.get("pixels", math.inf) or max(width, height) > ratio * min(width, height):
            if width > height:
                width -= step
            else:
                height -= step
        return Size(int(width), int(height))


def _pixels(size: Size) -> int:
    return size.width * size.height


def _distance(size: Size, wanted: Size) -> float:
    """Return how different two shapes are: 0 for the same."""
    return abs(math.log(size.width / size.height) - math.log(wanted.width / wanted.height))


@dataclass(frozen=True, kw_only=True)
class Price:
    """What a model costs in USD: an image, or a second of video. `prices.toml` explains the fields."""

    models: tuple[str, ...]
    usd: float
    date: date
    source: str
    pixels: int | None = None
    from_picture: float = 0.0
    tokens: Mapping[str, float] = field(default_factory=dict)

    def of(self, kind: Kind, size: Size, seconds: float, from_picture: bool) -> float:
        """Return the price of one item."""
        if kind == "video":
            return self.usd * seconds + self.from_picture * from_picture
        larger = max(1.0, _pixels(size) / self.pixels) if self.pixels else 1.0
        return self.usd * larger + self.from_picture * from_picture


@dataclass(frozen=True, kw_only=True)
class ProviderInfo:
    """A provider, its default models by kind, and its families. `models.toml` explains the fields."""

    name: str
    title: str
    page: str
    keys: tuple[str, ...]
    base_url: str
    address: str
    families: tuple[Family, ...]
    poll: float = 5.0
    cancels: bool = False
    file_key: str | None = None
    own_key_page: str | None = None
    jobs: tuple[Kind, ...] = ()
    image: str | None = None
    video: str | None = None
    video_from_picture: str | None = None
    film: str | None = None

    @property
    def key_page(self) -> str:
        """Where a key can be had."""
        return self.own_key_page or self.page

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return tuple(kind for kind in KINDS if self.default(kind))

    def default(self, kind: Kind, from_picture: bool = False) -> str | None:
        """Return its default model for items of a kind."""
        if kind == "image":
            return self.image
        return (self.video_from_picture if from_picture else None) or self.video

    def family(self, model: str) -> Family:
        """Return the family of a model; of an unknown one, a family that can do everything the provider can."""
        for family in self.families:
            if any(fnmatchcase(model, pattern) for pattern in family.models):
                return family
        return Family(kinds=self.kinds)

    def retirement(self, model: str) -> str | None:
        """Return a warning if a model is retired within 30 days, or was; None for others."""
        family = self.family(model)
        if family.retires is None or family.retires > date.today() + timedelta(days=30):
            return None
        verb = "retired" if is_retired(family) else "retires"
        advice = f": use {self.name}:{family.successor}" if family.successor else ""
        return f"{self.title} {verb} {model} on {family.retires:%Y-%m-%d}{advice}"

    def listed(self) -> list[str]:
        """Return the models to list: those with a name of their own that are not retired, defaults first."""
        defaults = [self.image, self.video, self.video_from_picture, self.film]
        named = [
            model for family in self.families for model in family.models if "*" not in model and not is_retired(family)
        ]
        return list(dict.fromkeys([model for model in (*defaults, *named) if model]))


def is_retired(family: Family, today: date | None = None) -> bool:
    return family.retires is not None and family.retires <= (today or date.today())


@cache
def providers() -> dict[str, ProviderInfo]:
    """Return the providers by name."""
    return {name: _provider(name, table) for name, table in _read("models.toml").items()}


@cache
def _prices() -> tuple[Price, ...]:
    return tuple(Price(**_tuples(table)) for table in _read("prices.toml")["prices"])


def price_of(name: str, own: Mapping[str, float]) -> Price | None:
    """Return the price of `PROVIDER:MODEL`, with the user's `own` figure where there is one; None if unknown."""
    found = next((price for price in _prices() if any(fnmatchcase(name, each) for each in price.models)), None)
    if name not in own:
        return found
    if found is None:
        return Price(models=(name,), usd=own[name], date=date.today(), source="settings.toml")
    return replace(found, usd=own[name], pixels=None, from_picture=0.0, source="settings.toml")


def _read(file: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name(file).read_text(encoding="utf-8"))


def _provider(name: str, table: dict[str, Any]) -> ProviderInfo:
    families = tuple(_family(each) for each in table["families"])
    return ProviderInfo(**(_tuples(table) | {"name": name, "families": families}))


def _family(table: dict[str, Any]) -> Family:
    sizes: dict[str, Any] = {
        key: tuple(map(Size.parse, table[key])) for key in ("sizes", "picture_sizes") if key in table
    }
    return Family(**(_tuples(table) | sizes))


def _tuples(table: dict[str, Any]) -> dict[str, Any]:
    """Return a table with tuples in place of lists."""
    lists: dict[str, Any] = {name: tuple(value) for name, value in table.items() if isinstance(value, list)}
    return table | lists
