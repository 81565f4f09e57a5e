"""The registry of pipelines, and which one makes an order.

Pipelines are named here by strings and resolved only when one is needed, so that no command loads a model's libraries
to show help or a list. Other packages add theirs through the entry-point group `aigen.pipelines`.
"""

import pkgutil
from collections.abc import Callable
from importlib.metadata import entry_points

from aigen.errors import UsageError
from aigen.types import Kind, Pipeline

BUILT_IN = {"storybook": "aigen.pipelines.storybook:Storybook"}
FALLBACK = "storybook"


def registered() -> dict[str, str]:
    """Every known pipeline: its name, and where it is (`module:Class`)."""
    return {point.name: point.value for point in entry_points(group="aigen.pipelines")} | BUILT_IN


def load(name: str) -> Pipeline:
    """The pipeline of this name. Raises UsageError when there is none."""
    known = registered()
    if name not in known:
        raise UsageError(f"model {name!r} is not known: choose from {', '.join(sorted(known))}")
    pipeline: Pipeline = pkgutil.resolve_name(known[name])()
    return pipeline


def choose(
    kind: Kind, asked: str | None, default: str | None, load: Callable[[str], Pipeline] = load
) -> tuple[str, str]:
    """The model for items of this kind, and why: the one asked for, else the user's default, else the built-in one."""
    if asked:
        name, reason = asked, "asked for"
    elif default:
        name, reason = default, "your default (AIGEN_MODEL)"
    else:
        name, reason = FALLBACK, "built in: always works"
    if kind not in load(name).kinds:
        raise UsageError(f"model {name!r} makes no {kind}s: name one that does with --{kind}-model")
    return name, reason
