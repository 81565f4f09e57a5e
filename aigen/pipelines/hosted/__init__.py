"""Hosted providers: images and videos bought by an API. One pipeline for all, one small module for each.

    families    what models can do and cost, as data: models.toml, prices.toml
    pipeline    the pipeline of a provider: abilities, price, what to ask for
    provider    what a provider can be asked; its errors
    runway, openai, gemini, huggingface, pictory    the providers
    rest        HTTP with JSON, for those without an SDK
    routers     the providers behind Hugging Face's router
    batch       the items of a task, bought side by side
    jobs        the life of a job, from intended to fetched
    lanes       how many jobs are in flight
    downloads   results become files

Nothing here imports an SDK before something is bought.
"""

from aigen.errors import UsageError
from aigen.pipelines.hosted import families
from aigen.pipelines.hosted.families import ProviderInfo
from aigen.pipelines.hosted.pipeline import Hosted
from aigen.settings import Settings
from aigen.types.request import Kind


def is_hosted(name: str) -> bool:
    """Return whether this is a provider, or `PROVIDER:MODEL`."""
    return name.partition(":")[0] in families.providers()


def names() -> tuple[str, ...]:
    """Return the names of the providers."""
    return tuple(families.providers())


def find(name: str) -> ProviderInfo:
    """Return a provider. Raises UsageError."""
    if name not in families.providers():
        told = f"provider {name!r}" if len(name) < 16 else "that provider"  # it may be a key, in the wrong place
        raise UsageError(f"{told} is not known: choose from {', '.join(names())}")
    return families.providers()[name]


def title(server: str) -> str:
    """Return the name of a provider, as people write it; that of a plugin as it is."""
    found = families.providers().get(server.partition(":")[0])
    return found.title if found else server


def load(name: str, settings: Settings) -> Hosted:
    """Return the pipeline of a provider (`runway`), or of one of its models (`runway:gen4.5`)."""
    return Hosted(name, settings)


def resolve(name: str, kind: Kind, from_picture: bool) -> str:
    """Return `PROVIDER:MODEL` for items of a kind."""
    provider, _, model = name.partition(":")
    return f"{provider}:{model or families.providers()[provider].default(kind, from_picture) or ''}"


def resolve_film(name: str) -> str:
    """Return `PROVIDER:MODEL` for narrated films."""
    provider, _, model = name.partition(":")
    return f"{provider}:{model or families.providers()[provider].film or ''}"


def retirement(name: str) -> str | None:
    """Return a warning if a model is retired within 30 days, or was; None for others."""
    provider, _, model = name.partition(":")
    return families.providers()[provider].retirement(model)
