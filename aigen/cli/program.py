"""The program: the Typer application, errors as one line and an exit code, and what all commands share."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TextIO, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from aigen.errors import AigenError

if TYPE_CHECKING:
    from aigen.orders.context import Context
    from aigen.settings import Settings
    from aigen.types.reports import Report


Function = TypeVar("Function", bound=Callable[..., Any])

# Set by Ctrl-C and SIGTERM, beside the KeyboardInterrupt that they raise.
interrupted = threading.Event()


# The commands as the help lists them: what most users need first.
COMMANDS = (
    "generate",
    "narrate",
    "status",
    "resume",
    "cancel",
    "describe",
    "info",
    "serve",
    "models",
    "keys",
    "worker",
    "notices",
    "costs",
    "notify-daemon",
    "users",
    "repair",
    "backup",
    "restore",
    "doctor",
)


class Commands(TyperGroup):
    """Turns errors into one line and an exit code, in one place for all commands."""

    def list_commands(self, context: Any) -> list[str]:
        return sorted(super().list_commands(context), key=COMMANDS.index)

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        _prepare_process()
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except typer.Abort:
            code = 130
        except Exception as error:
            if os.environ.get("AIGEN_DEBUG"):
                import traceback

                say(_without_secrets(traceback.format_exc()))
            code = _explain(error)
        if standalone_mode:
            sys.exit(code if isinstance(code, int) else 0)
        return code


class Command(TyperCommand):
    """A command. On a terminal it first shows the notices of commands that ended before they could."""

    def invoke(self, context: Any) -> Any:
        if "content" in context.params and is_terminal(sys.stderr):
            with suppress(AigenError):  # a command that needs the store says itself what is wrong with it
                _show_left_over(context.params["content"])
        return super().invoke(context)


class Program(typer.Typer):
    """A Typer application whose commands are `Command`s."""

    def command(self, *arguments: Any, **settings: Any) -> "Callable[[Function], Function]":
        return super().command(*arguments, **{"cls": Command} | settings)


def _prepare_process() -> None:
    os.umask(0o077)  # what a user makes is nobody else's business
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal without emoji is no reason to stop
    if threading.current_thread() is threading.main_thread():
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else the shell wants it ignored
            signal.signal(signal.SIGINT, _interrupt)
        signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(*_: object) -> NoReturn:
    interrupted.set()
    raise KeyboardInterrupt


def is_terminal(stream: "TextIO | None") -> bool:
    """Return whether a standard stream is a terminal; one that was closed is None."""
    return stream is not None and stream.isatty()


def say(text: str) -> None:
    """A message beside the results; where nobody can read it, the work goes on."""
    with suppress(OSError):
        typer.echo(text, err=True)


def _explain(error: Exception) -> int:
    """Print an error as one line; the exit code it means."""
    from aigen.wording import visible

    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what reads us has gone: nothing more is to be flushed to it
        return 1
    if isinstance(error, AigenError):
        text, code = str(error), error.exit_code
    elif interrupted.is_set():
        text, code = "interrupted", 130
    elif isinstance(error, typer.TyperException):
        context = getattr(error, "ctx", None)
        advice = f" (see {context.command_path} --help)" if context else ""
        text, code = error.format_message() + advice, error.exit_code
        if context and context.info_name == "generate" and "extra argument" in text:
            text = f"{error.format_message()}: put the prompt in quotes"
    else:
        text, code = f"unexpected {type(error).__name__}: {error}; aigen --debug … shows where", 1
    say(visible(f"aigen: {_without_secrets(text)}"))
    return code


def _without_secrets(text: str) -> str:
    """Return a text without keys and passwords; where the settings cannot be read, those of the environment."""
    from aigen.settings import Settings

    try:
        settings = load_settings()
    except AigenError:
        settings = Settings(os.environ)
    return settings.redact(text)


app = Program(
    cls=Commands,
    add_completion=False,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Pictures and videos from a text prompt, made on this machine.",
)


def _folder(text: str) -> Path:
    if not text:
        raise typer.BadParameter("it is empty: give a folder")
    return Path(text)


Content = Annotated[
    Path | None,
    typer.Option(
        "--content", parser=_folder, metavar="DIR", help="The folder that holds everything [generated_content]."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def whole_number(text: str | int) -> int:
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number") from None


def amount(text: str | float) -> float:
    """Return an amount in USD that was typed, such as 2.50 or $2.50."""
    try:
        return float(str(text).removeprefix("$"))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not an amount in USD: give one such as 2.50") from None


def _show_version(wanted: bool) -> None:
    if wanted:
        from aigen import __version__

        typer.echo(f"aigen {__version__}")
        raise typer.Exit


def _set_debug(wanted: bool) -> None:
    if wanted:
        os.environ["AIGEN_DEBUG"] = "1"


@app.callback()
def main(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", callback=_set_debug, help="Show where an error comes from.")
    ] = False,
) -> None:
    help_without_command(context)


def help_without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def load_settings() -> "Settings":
    from aigen.settings import read_settings, settings_file

    return read_settings(os.environ, Path.cwd(), settings_file())


@contextmanager
def open_context(
    content: Path | None,
    report: "Callable[[Report], None]" = lambda report: None,
    agree: "Callable[[float | None], None] | None" = None,
) -> "Iterator[Context]":
    from aigen.orders.context import Context, refuse_to_pay
    from aigen.store import Store

    settings = load_settings()
    folder = settings.content(content)
    with Store.open(folder) as store:
        yield Context(folder, store, report, settings, interrupted=interrupted.is_set, agree=agree or refuse_to_pay)


def say_report(report: "Report") -> None:
    """Print what a command reports to the user, for commands without a display."""
    from aigen.types.reports import Said

    if isinstance(report, Said):
        say(report.text)


def _show_left_over(content: Path | None) -> None:
    """Show the terminal notices that their own processes did not live to show."""
    from aigen.store import Store
    from aigen.times import utc_now

    folder = load_settings().content(content)
    with Store.open(folder) as store:
        if store.due_notices("terminal", utc_now()):
            from aigen.notify.delivery import Courier
            from aigen.notify.foreground import show_left_over

            for failure in show_left_over(Courier(folder, load_settings), store):
                say(str(failure))


def print_json(value: Any) -> None:
    """JSON that is safe on a terminal: whatever does not print is written as an escape, which JSON readers undo."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    typer.echo("".join(part if part.isprintable() or part == "\n" else json.dumps(part)[1:-1] for part in text))
