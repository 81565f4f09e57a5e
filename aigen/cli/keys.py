"""The keys of hosted providers: `aigen keys`, where each comes from; storing and removing one."""

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from aigen.cli.program import Json, app, is_terminal, load_settings, print_json, say
from aigen.errors import UsageError

if TYPE_CHECKING:
    from aigen.settings import Settings

keys_app = typer.Typer(
    cls=TyperGroup, invoke_without_command=True, rich_markup_mode=None, help="Store the keys of hosted providers."
)
app.add_typer(keys_app, name="keys")

Provider = Annotated[str, typer.Argument(help="runway, openai, gemini, huggingface or pictory.")]
# How many of the last characters of a key are shown, and of keys that are at least so long.
SHOWN, LONG_ENOUGH = 4, 16


@keys_app.callback()
def keys_main(context: typer.Context, as_json: Json = False) -> None:
    if context.invoked_subcommand is None:
        list_keys(context, as_json)


@keys_app.command("list")
def list_keys(context: typer.Context, as_json: Json = False) -> None:
    """Show where each key comes from, and its last four characters."""
    from aigen.pipelines import hosted
    from aigen.wording import visible

    settings = load_settings()
    found = [_read_key(name, settings) for name in hosted.names()]
    if as_json or (context.parent and context.parent.params.get("as_json")):
        print_json(found)
        return
    for each in found:
        told = f"no key: aigen keys set {each['provider']}"
        if each["setting"]:
            told = each["error"] or f"{each['key']}  {each['setting']} in {each['source']}"
        address = f"  for {each['base_url']}" if each["base_url"] and not each["error"] else ""
        typer.echo(visible(f"{each['provider']:12} {told}{address}"))


@keys_app.command("set", context_settings={"allow_extra_args": True})
def set_key(
    context: typer.Context,
    provider: Provider,
    base_url: Annotated[
        str | None,
        typer.Option("--base-url", metavar="URL", help="Send it to this server, which speaks the same protocol."),
    ] = None,
) -> None:
    """Store a key in the system keyring; without one, in a file that only you can read.

    The key is asked for, or read from standard input.
    """
    from aigen.notify.links import is_loopback
    from aigen.pipelines import hosted
    from aigen.pipelines.hosted.pipeline import check_base_url, check_form
    from aigen.settings import KEYRING, settings_file, store_keys

    info = hosted.find(provider)
    if context.args:
        raise UsageError(
            "a key is not taken from the command line, which other programs can see: "
            f"run aigen keys set {provider}, then paste it"
        )
    if base_url is not None:
        check_base_url(info, base_url, "--base-url")
    key = _ask(f"{info.title} key (get one at {info.key_page})")
    check_form(key)
    settings, name = load_settings(), info.keys[0]
    values = {name: key}
    source = settings.found_in.get(info.base_url)
    if base_url is None and source and source.rank >= KEYRING.rank:  # they must stay together
        with suppress(UsageError):  # the keyring has lost it
            base_url = settings.read(info.base_url)
    if base_url:
        values[info.base_url] = base_url
    source = store_keys(settings_file(), values)
    place = source.place if source == KEYRING else f"{source.place}, since no system keyring was found"
    say(f"{name} is stored in {place}{f', for {base_url}' if base_url else ''}; check it with aigen doctor")
    if base_url and base_url.startswith("http://") and not is_loopback(base_url):
        say(f"{base_url} is not encrypted: whoever is on the way there can read the key")
    used = load_settings()
    first = used.first(info.keys) or name
    if used.found_in[first].rank < KEYRING.rank:
        say(f"but {first} is set in {used.found_in[first].place}, which comes first")


@keys_app.command("remove")
def remove_key(provider: Provider) -> None:
    """Remove a stored key."""
    from aigen.pipelines import hosted
    from aigen.settings import remove_keys, settings_file

    info = hosted.find(provider)
    sources = remove_keys(settings_file(), (*info.keys, info.base_url))
    settings = load_settings()
    left = settings.first(info.keys)
    still = f"{left} is set in {settings.found_in[left].place}" if left else ""
    if not sources:
        raise UsageError(f"no key of {info.title} is stored" + (f": {still}, remove it there" if still else ""))
    say(f"the key of {info.title} is removed from {' and '.join(source.place for source in sources)}")
    if still:
        say(f"but {still}, and is used")


def _ask(question: str) -> str:
    """Return a key that is typed, not shown, or the first line of standard input. Raises UsageError."""
    if is_terminal(sys.stdin):
        answer = str(typer.prompt(question, hide_input=True, default="", show_default=False, err=True))
    else:
        answer = sys.stdin.readline() if sys.stdin else ""
    if not answer.strip():
        raise UsageError("no key was given: paste it, or send it to standard input")
    return answer.strip()


def _read_key(provider: str, settings: "Settings") -> dict[str, Any]:
    """Return what is shown of a provider's key."""
    from aigen.pipelines import hosted

    info = hosted.find(provider)
    name = settings.first(info.keys)
    shown: dict[str, Any] = {
        "provider": provider, "title": info.title, "setting": name, "source": None, "key": None, "base_url": None,
        "error": None,
    }  # fmt: skip
    try:
        shown["base_url"] = settings.read(info.base_url) or None
        if name:
            shown["source"] = settings.found_in[name].place
            settings.check_one_source(name, info.base_url)
            key = settings.read(name)
            shown["key"] = f"…{key[-SHOWN:] if len(key) >= LONG_ENOUGH else ''}"
    except UsageError as error:
        shown["error"] = str(error)
    return shown
