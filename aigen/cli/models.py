"""The models: `aigen models`, which are here and which fit; getting, removing and preferring one."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from aigen.cli.program import Json, app, load_settings, print_json, say
from aigen.errors import AigenError, GenerationError, UsageError

if TYPE_CHECKING:
    from aigen.pipelines.listing import ModelInfo
    from aigen.settings import Settings

models_app = typer.Typer(
    cls=TyperGroup, invoke_without_command=True, rich_markup_mode=None, help="See, get, remove and prefer models."
)
app.add_typer(models_app, name="models")

_HEADINGS = {
    "ready": "Ready to use",
    "to get": "Fit this machine: aigen models pull NAME",
    "without a key": "Hosted by providers whose key is missing",
    "too large": "Too large for this machine",
}
Name = Annotated[str, typer.Argument(help="A short name (see aigen models), or a hub id: owner/name.")]


@models_app.callback()
def models_main(context: typer.Context, as_json: Json = False) -> None:
    if context.invoked_subcommand is None:
        list_models(as_json)


@models_app.command("list")
def list_models(as_json: Json = False) -> None:
    """Show every model, first what can be used now: size or price, licence, what it needs, whether it fits."""
    from aigen.pipelines.listing import list_models

    settings = load_settings()
    found = list_models(settings)
    if as_json:
        print_json([model.as_json() for model in found])
    else:
        _print(found, settings)


@models_app.command()
def pull(
    name: Name,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="Take it from this folder instead of the hub.")
    ] = None,
) -> None:
    """Get a model; what came of one that was interrupted is not got again."""
    from aigen.models import catalogue, downloads, weights
    from aigen.pipelines.listing import find

    model = find(name)
    token = _token(load_settings(), model.gated)
    say(f"{model.title}, licence: {model.licence}")
    try:
        with _bar(model.name) as report:
            folder = downloads.take(model, source, report) if source else downloads.pull(model, token, report)
    except GenerationError as error:
        if weights.is_here(model):
            raise GenerationError(f"{error} (what is here already can be used)") from error
        raise
    typer.echo(folder)
    used = f'aigen generate "a whale under the stars" --model {model.name}'
    if model.hub in catalogue.tiny_decoders():
        used = "--fast uses it"
    elif weights.sees(model):
        used = f"aigen describe photo.jpg --model {model.name}"
    elif model.base and not weights.is_here(catalogue.find(model.base)):
        used = f"it adds itself to {model.base}, which is still missing: aigen models pull {model.base}"
    say(f"it is here: {used}")


def _token(settings: "Settings", needed: bool) -> str | None:
    """Return the token for the hub, if there is one. Raises UsageError where it is `needed` and cannot be read."""
    if settings.is_set("AIGEN_HUGGINGFACE_URL"):  # the token is for that server
        return None
    try:
        return settings.read("HF_TOKEN") or None
    except UsageError:
        if needed:
            raise
        return None


@models_app.command()
def remove(name: Name) -> None:
    """Remove a model from this machine."""
    from aigen.models import downloads
    from aigen.pipelines import FALLBACK
    from aigen.pipelines.listing import find
    from aigen.wording import spoken_size

    model = find(name)
    size = downloads.remove(model)
    say(f"{name} is removed: {spoken_size(size)} are free again")
    if load_settings().model in (model.name, model.hub):
        say(f"it is still your default: choose another, such as aigen models use {FALLBACK}")


@models_app.command()
def use(name: Annotated[str, typer.Argument(help="A model, as aigen generate --model takes it.")]) -> None:
    """Make a model the default for what it makes."""
    from aigen import pipelines
    from aigen.models import catalogue, weights
    from aigen.orders import tasks
    from aigen.settings import settings_file, write_setting

    is_local = name not in pipelines.registered() and not pipelines.hosted.is_hosted(name)
    if is_local and weights.sees(catalogue.find(name, pipelines.registered())):
        raise UsageError(
            f"model {catalogue.display_name(name)!r} makes no pictures, it sees them: "
            "when it is here, aigen describe and "
            "--from-image use it by themselves, or name it with --vision-model"
        )
    pipeline = pipelines.load(name, load_settings())
    pipeline.check(tasks.usual_task(pipeline.abilities.kinds[0], pipeline))
    name = pipelines.canonical(name)
    write_setting(settings_file(), "AIGEN_MODEL", name)
    made = " and ".join(f"{kind}s" for kind in pipeline.abilities.kinds)
    say(f"{name} makes {made} from now on, unless --model says otherwise ({settings_file()})")
    if pipeline.abilities.paid:
        say("orders by it cost money: each shows its estimate and asks first")
    if (winner := load_settings().model) != name:
        place = "the environment" if os.environ.get("AIGEN_MODEL") else "the .env in this folder"
        say(f"but AIGEN_MODEL in {place} says {winner}, and that comes first")


def _print(found: "list[ModelInfo]", settings: "Settings") -> None:
    from aigen import pipelines, vision
    from aigen.models import catalogue
    from aigen.types.request import KINDS

    for state, models in groupby(found, key=lambda model: model.state):
        group = list(models)
        typer.echo(f"{_HEADINGS[state]}\n")
        for model in group:
            if not model.hosted:
                _print_local(model)
        _print_hosted([model for model in group if model.hosted])
        typer.echo()
    say("any other model: a folder, or its hub id (owner/name)")
    load = partial(pipelines.load, settings=settings)
    with suppress(AigenError):
        for kind in KINDS:
            name, reason = pipelines.choose(kind, None, default=settings.model, load=load)
            say(f"{kind}s are made by {catalogue.display_name(name)} ({reason})")
    say(f"your pictures are looked at by {vision.choose(None)}")


def _print_local(model: "ModelInfo") -> None:
    """Print a model of this machine, and below it what to know about it."""
    from aigen.models.machine import GB
    from aigen.wording import spoken_size, visible

    size = spoken_size(model.download * GB) if model.download else ""
    needs = f"{model.memory:.0f} GB memory" if model.memory else ""
    default = " (your default)" if model.default else ""
    gated = "; gated: needs HF_TOKEN" if model.gated else ""
    typer.echo(visible(f"{model.name:15} {size:>8}  {needs:13} {model.title}{default}"))
    seen = "sees pictures: aigen describe" if model.sees else ""
    for line in (f"{model.licence}{gated}", f"fits: {model.fit}", seen, model.note, model.wrong):
        if line and (model.download != 0 or line in (model.note, model.wrong)):
            typer.echo(visible(f"{'':15} {line}"))


def _print_hosted(found: "list[ModelInfo]") -> None:
    """Print hosted models, those of each provider below its name."""
    from aigen.wording import visible

    for title, models in groupby(found, key=lambda model: model.title):
        group = list(models)
        typer.echo(visible(f"{title}{f': {group[0].wrong}' if group[0].wrong else ''}"))
        for model in group:
            kinds = " and ".join(f"{kind}s" for kind in model.kinds)
            default = "your default" if model.default else ""
            typer.echo(visible(f"{model.name:34} {kinds:7} {'; '.join(filter(None, (model.price, default)))}"))
            if model.note:
                typer.echo(visible(f"{'':34} {model.note}"))


@contextmanager
def _bar(name: str) -> Iterator[Callable[[int, int, str], None]]:
    """Shows how far a download is: as a bar on a terminal, else now and then as a line."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from aigen.wording import spoken_size

    console = Console(stderr=True, emoji=False, highlight=False, soft_wrap=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    told = -1
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(name, total=None)

        def report(done: int, total: int, text: str) -> None:
            nonlocal told
            progress.update(bar, completed=done, total=total, description=text)
            tenth = done * 10 // total if total else 10
            if not console.is_terminal and tenth != told:
                told = tenth
                say(f"{name}: {tenth * 10} % of {spoken_size(total)}")

        yield report
