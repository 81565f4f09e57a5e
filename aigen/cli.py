"""The command line: parse, call one function, print.

Results go to stdout, everything else to stderr. Errors are one line; this is the only module that turns them into an
exit code. Whatever is heavy is imported by the command that needs it, so that `aigen --help` starts in a blink.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from aigen.errors import AigenError, AlreadyRunning, Cancelled, GenerationError, Interrupted, UsageError
from aigen.types import STYLES

if TYPE_CHECKING:
    from aigen.generation import Workshop
    from aigen.settings import Settings
    from aigen.types import Generation, GenerationRequest, Report


# Set by Ctrl-C and SIGTERM, beside the KeyboardInterrupt that they raise.
_interrupted = threading.Event()


class Commands(TyperGroup):
    """Turns errors into one line and an exit code, in one place for all commands."""

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        _prepare_process()
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except typer.Abort:
            code = 130
        except Exception as error:
            if os.environ.get("AIGEN_DEBUG"):
                import traceback

                traceback.print_exc()
            code = _explain(error)
        if standalone_mode:
            sys.exit(code if isinstance(code, int) else 0)
        return code


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
    _interrupted.set()
    raise KeyboardInterrupt


def _say(text: str) -> None:
    """A message beside the results; where nobody can read it, the work goes on."""
    with suppress(OSError):
        typer.echo(text, err=True)


def _explain(error: Exception) -> int:
    """Print an error as one line; the exit code it means."""
    from aigen.display import visible

    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what reads us has gone: nothing more is to be flushed to it
        return 1
    if isinstance(error, AigenError):
        text, code = str(error), error.exit_code
    elif _interrupted.is_set():
        text, code = "interrupted", 130
    elif isinstance(error, typer.TyperException):
        context = getattr(error, "ctx", None)
        advice = f" (see {context.command_path} --help)" if context else ""
        text, code = error.format_message() + advice, error.exit_code
        if context and context.info_name == "generate" and "extra argument" in text:
            text = f"{error.format_message()}: put the prompt in quotes"
    else:
        text, code = f"unexpected {type(error).__name__}: {error}; aigen --debug … shows where", 1
    _say(visible(f"aigen: {text}"))
    return code


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Pictures and videos from a text prompt, made on this machine.",
)
users_app = typer.Typer(
    cls=TyperGroup, invoke_without_command=True, rich_markup_mode=None, help="List users, set a password, erase a user."
)
app.add_typer(users_app, name="users")


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


def _whole_number(text: str | int) -> int:
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number") from None


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
    _help_without_command(context)


@users_app.callback()
def users_main(context: typer.Context) -> None:
    _help_without_command(context)


def _help_without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


# What commands share


def _settings() -> "Settings":
    from aigen.settings import read_settings, settings_file

    return read_settings(os.environ, Path.cwd(), settings_file())


@contextmanager
def _open_workshop(
    content: Path | None, report: "Callable[[Report], None]" = lambda report: None, create: bool = False
) -> "Iterator[Workshop]":
    from aigen.generation import Workshop
    from aigen.store import Store

    folder = _settings().content(content)
    with Store.open(folder, create=create) as store:
        yield Workshop(folder, store, report, interrupted=_interrupted.is_set)


def _print_json(value: Any) -> None:
    """JSON that is safe on a terminal: whatever does not print is written as an escape, which JSON readers undo."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    typer.echo("".join(part if part.isprintable() or part == "\n" else json.dumps(part)[1:-1] for part in text))


def _describe(workshop: "Workshop", order: "Generation") -> dict[str, Any]:
    """What `generate --json` prints of an order."""
    from aigen.generation import files

    items = workshop.store.items(order.generation_id)
    return {
        "user_id": order.user_id,
        "generation_id": order.generation_id,
        "status": order.status,
        "prompt": order.prompt,
        "model": ", ".join(dict.fromkeys(item.model for item in items)),
        "images": files(workshop, items, "image"),
        "videos": files(workshop, items, "video"),
        "link": f"{_settings().base_url}/dash",
        "notices": workshop.store.notices(order.generation_id),
    }


def _print_order(workshop: "Workshop", order: "Generation", as_json: bool) -> None:
    """The result of an order on stdout: paths, relative where that is shorter to read."""
    result = _describe(workshop, order)
    if as_json:
        _print_json(result)
        return
    here = Path.cwd()
    for path in map(Path, result["images"] + result["videos"]):
        typer.echo(path.relative_to(here) if path.is_relative_to(here) else path)


# Commands


@app.command()
def generate(
    prompt: Annotated[str | None, typer.Argument(help="What the pictures and videos shall show.")] = None,
    user: Annotated[str | None, typer.Option("--user", metavar="ID", help="Whose they are [a new random id].")] = None,
    from_info: Annotated[
        Path | None,
        typer.Option(
            "--from-info",
            metavar="FILE",
            help="Make again what this file says it is, but for other options; with numbers, so many more like it.",
        ),
    ] = None,
    images: Annotated[
        int | None,
        typer.Option("--images", parser=_whole_number, metavar="N", help="How many images [5; like a file: 0]."),
    ] = None,
    videos: Annotated[
        int | None,
        typer.Option("--videos", parser=_whole_number, metavar="N", help="How many videos [5; like a file: 0]."),
    ] = None,
    model: Annotated[str | None, typer.Option("--model", metavar="NAME", help="What makes them.")] = None,
    image_model: Annotated[
        str | None, typer.Option("--image-model", metavar="NAME", help="What makes the images.")
    ] = None,
    video_model: Annotated[
        str | None, typer.Option("--video-model", metavar="NAME", help="What makes the videos.")
    ] = None,
    style: Annotated[str | None, typer.Option("--style", metavar="NAME", help=f"{', '.join(STYLES)} [plain].")] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", parser=_whole_number, metavar="N", help="The same seed makes the same again [random]."),
    ] = None,
    size: Annotated[
        str | None, typer.Option("--size", metavar="WxH", help="In pixels [1024x1024, videos 1280x720].")
    ] = None,
    notify_at: Annotated[
        str | None, typer.Option("--notify-at", metavar="WHEN", help="HH:MM, 'tomorrow HH:MM' or ISO 8601 [at once].")
    ] = None,
    notify: Annotated[
        list[str] | None,
        typer.Option("--notify", metavar="CHANNEL", help="terminal, desktop or mailto:ADDRESS; repeatable [terminal]."),
    ] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait for the time of the notice.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Order, start a worker, and return at once.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Show what would be drawn; make nothing.")] = False,
    as_json: Json = False,
    content: Content = None,
) -> None:
    """Make images and videos from a prompt."""
    from aigen import generation
    from aigen.types import GenerationRequest

    if prompt is None and from_info is None:
        prompt, notify_at = _ask(notify_at)
    options: dict[str, Any] = {
        "prompt": prompt,
        "images": images,
        "videos": videos,
        "model": model,
        "image_model": image_model,
        "video_model": video_model,
        "style": style,
        "seed": seed,
        "size": size,
        "notify_at": notify_at,
        "notify": tuple(notify) if notify else None,
    }
    given = {name: value for name, value in options.items() if value is not None}
    # Before the store is opened: a wrong order leaves nothing behind, not even an empty store.
    with _named_in_errors(from_info):
        request = _reorder(from_info, given) if from_info else GenerationRequest(**given)
        request = generation.check(request, user, _settings().model)
    if plan:
        _print_plan(request, as_json)
    elif detach:
        _order(request, user, as_json, content)
    else:
        _generate(request, user, no_wait, as_json, content)


def _reorder(file: Path, given: dict[str, Any]) -> "GenerationRequest":
    from aigen import provenance

    found = provenance.read(file)
    try:
        return provenance.reorder(found, given)
    except UsageError as error:
        raise UsageError(f"{str(file)!r}: {error}") from error


@contextmanager
def _named_in_errors(from_info: Path | None) -> "Iterator[None]":
    """Say that what is wrong may stand in a file, and how to change it."""
    try:
        yield
    except UsageError as error:
        if from_info is None:
            raise
        raise UsageError(f"--from-info: {error} (other options win over what the file says)") from error


def _ask(notify_at: str | None) -> tuple[str, str | None]:
    """Ask for what is missing, if there is somebody to ask."""
    from aigen.times import resolve, utc_now
    from aigen.types import check_prompt

    if not sys.stdin.isatty():
        raise UsageError('a prompt is missing: aigen generate "a whale under the stars"')
    prompt = _ask_until_right("What shall they show", check_prompt)
    if notify_at is None:
        notify_at = _ask_until_right(
            "When shall you be told (HH:MM; empty: at once)", lambda answer: resolve(answer, utc_now()), default=""
        )
    return prompt, notify_at or None


def _ask_until_right(question: str, check: "Callable[[str], object]", default: str | None = None) -> str:
    while True:
        answer: str = typer.prompt(question, default=default, show_default=False, err=True)
        try:
            check(answer)
        except UsageError as error:
            _say(str(error))
        else:
            return answer


def _print_plan(request: "GenerationRequest", as_json: bool) -> None:
    from aigen import pipelines

    name = request.image_model or request.video_model
    assert name is not None
    pipeline = pipelines.load(name)
    if not hasattr(pipeline, "plan"):
        raise UsageError(f"model {name!r} plans no scene that could be shown: leave out --plan")
    scene = pipeline.plan(request.prompt)
    if as_json:
        _print_json(scene)
        return
    from aigen.display import readable, visible

    for field, value in scene.items():
        typer.echo(visible(f"{field:10} {readable(value) if value else '-'}"))


def _order(request: "GenerationRequest", user: str | None, as_json: bool, content: Path | None) -> None:
    """Place an order for the worker, and see that one runs."""
    from aigen import generation, worker
    from aigen.display import Display

    with Display() as display, _open_workshop(content, display, create=True) as workshop:
        order = generation.place(workshop, request, user, detached=True)
        worker.start(workshop.content)
        if as_json:
            _print_json(_describe(workshop, order))
            return
        typer.echo(f"user {order.user_id}")
        _announce(order)
        _say(f"see how far it is: aigen status {order.user_id} --watch")


def _generate(
    request: "GenerationRequest", user: str | None, no_wait: bool, as_json: bool, content: Path | None
) -> None:
    """Place an order, make it here, and tell when its time has come."""
    from aigen import generation, notify
    from aigen.display import Display
    from aigen.types import Placed

    with Display() as display:

        def report(event: "Report") -> None:
            if isinstance(event, Placed):
                with suppress(OSError):  # nobody reads us; the order is made all the same
                    typer.echo(f"user {event.generation.user_id}", err=as_json)
                    _announce(event.generation)
            display(event)

        with _open_workshop(content, report, create=True) as workshop:
            generation.tidy(workshop)
            order = generation.generate(workshop, request, user)
            display.stop()
            if not (no_wait and notify.seconds_early(order, workshop.clock)):
                _tell(workshop, order)
            _print_order(workshop, order, as_json)


def _tell(workshop: "Workshop", order: "Generation") -> None:
    """Tell by this terminal, when the time has come, if that was asked for."""
    import time

    from aigen import notify

    if "terminal" not in order.request.notify:
        return
    if notify.seconds_early(order, workshop.clock):
        _say("it is made; waiting for the time to tell you (Ctrl-C ends the waiting only)")
        try:
            notify.wait_until_due(order, workshop.clock, time.sleep)
        except KeyboardInterrupt:
            raise Interrupted(f"you are not told any more; it is made: aigen status {order.user_id}") from None
    notify.tell_terminal(order, workshop.store, workshop.clock, lambda: _say("your content is ready:"))


def _announce(order: "Generation") -> None:
    """Say when the user will be told, and by what this version cannot tell."""
    from aigen import notify, times

    if order.request.notify_at:
        due = times.from_text(order.request.notify_at)
        local = due.astimezone().strftime("%Y-%m-%d %H:%M")
        passed = due <= times.from_text(order.requested_at)
        told = f"{local} has passed: you are told when it is ready" if passed else f"you are told at {local}"
        _say(told)
    for channel in notify.undelivered(order):
        _say(f"the notice for {channel} is kept in the store: this version tells by terminal only")


@app.command()
def status(
    user_id: Annotated[str | None, typer.Argument(help="Whose orders [all].")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow until nothing is being made any more.")] = False,
    as_json: Json = False,
    content: Content = None,
) -> None:
    """Show where orders stand."""
    import time

    from aigen import status as orders

    with _open_workshop(content) as workshop:
        if watch and as_json:
            orders.follow(
                workshop, user_id, time.sleep, lambda found: _print_json([order.as_json() for order in found])
            )
        elif watch:
            orders.watch(workshop, user_id, time.sleep)
        elif as_json:
            _print_json([order.as_json() for order in orders.look(workshop, user_id)])
        else:
            orders.print_table(orders.look(workshop, user_id), user_id)


@app.command()
def info(
    file: Annotated[Path, typer.Argument(help="A PNG, JPEG, WebP or MP4 file, by aigen or another program.")],
    as_json: Json = False,
    content: Content = None,
) -> None:
    """Show what a file says about itself: what it was made from and by."""
    from aigen import provenance
    from aigen.display import readable, visible

    found = provenance.read(file)
    if as_json:
        _print_json(provenance.as_json(found))
        return
    said = {**found.parameters, **provenance.as_json(found), "mark": provenance.explain(found.mark)}
    told = {
        name: said[name] for name in ("prompt", "model", "seed", "mark", *found.parameters) if said[name] is not None
    }
    width = max(map(len, told), default=0)
    for name, value in told.items():
        first, *others = map(visible, readable(value).splitlines() or [""])
        typer.echo(f"{visible(name):{width}}  {first}")
        for line in others:
            typer.echo(f"{'':{width}}  {line}")
    if not told:
        typer.echo(visible(f"{file} does not say what made it"))


@app.command()
def resume(
    generation_id: Annotated[str | None, typer.Argument(help="One order, also a failed one [all interrupted].")] = None,
    as_json: Json = False,
    content: Content = None,
) -> None:
    """Finish what was interrupted."""
    from aigen import generation
    from aigen import worker as workers
    from aigen.display import Display

    failures: list[str] = []
    finished: list[Generation] = []
    with Display() as display, _open_workshop(content, display) as workshop:
        generation.tidy(workshop)
        wanted = [order.generation_id for order in generation.interrupted(workshop)]
        try:
            for each in [generation_id] if generation_id else wanted:
                try:
                    finished.append(generation.resume(workshop, each))
                except (GenerationError, AlreadyRunning, Cancelled, UsageError) as error:
                    if generation_id:
                        raise
                    failures.append(str(error))  # the others are finished all the same
        finally:
            display.stop()
            if as_json:
                _print_json([_describe(workshop, order) for order in finished])
            for order in [] if as_json else finished:
                _print_order(workshop, order, as_json)
        if not generation_id and not wanted:
            _say("nothing was interrupted")
        if not generation_id and not workers.is_running(workshop.content) and (left := workers.waiting(workshop)):
            _say(f"orders that wait for a worker: {len(left)}; make them with aigen worker --once")
    if failures:
        raise GenerationError("; ".join(failures))


@app.command()
def cancel(
    generation_id: Annotated[str, typer.Argument(help="The order to give up.")], content: Content = None
) -> None:
    """Give up an order; what is finished stays."""
    from aigen import generation

    with _open_workshop(content) as workshop:
        generation.cancel(workshop, generation_id)
    _say(f"order {generation_id} is cancelled")


@app.command()
def worker(
    once: Annotated[bool, typer.Option("--once", help="End when nothing waits.")] = False,
    idle_limit: Annotated[float | None, typer.Option("--idle-limit", hidden=True)] = None,
    content: Content = None,
) -> None:
    """Make detached orders, one after another, until Ctrl-C."""
    import time

    from aigen import worker as workers
    from aigen.display import Display

    with Display() as display, _open_workshop(content, display, create=True) as workshop:
        workers.work(workshop, time.sleep, once, idle_limit)


@users_app.command("list")
def list_users(as_json: Json = False, content: Content = None) -> None:
    """List users and how many orders each has."""
    with _open_workshop(content) as workshop:
        users = workshop.store.users()
    if as_json:
        _print_json(
            [{**user, "made": bool(user["made"]), "has_password": bool(user["has_password"])} for user in users]
        )
        return
    width = max((len(user["user_id"]) for user in users), default=0)
    for user in users:
        orders = f"{user['orders']} order{'' if user['orders'] == 1 else 's'}"
        password = "password set" if user["has_password"] else "no password"
        typer.echo(f"{user['user_id']:{width}}  {orders:10}  {password:12}  since {user['created_at'][:10]}")


@users_app.command("set-password")
def set_password(user_id: Annotated[str, typer.Argument(help="Whose password.")], content: Content = None) -> None:
    """Set the password for the web gallery; asked for, or read as one line from a pipe."""
    from aigen.accounts import hash_password

    with _open_workshop(content) as workshop:
        if not workshop.store.has_user(user_id):
            raise UsageError(f"user {user_id!r} is not known: see aigen users list")
        if sys.stdin.isatty():
            password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        else:
            password = sys.stdin.readline().rstrip("\r\n")
        workshop.store.set_password(user_id, hash_password(password))
    _say(f"the password of {user_id} is set")


@users_app.command("delete")
def delete_user(
    user_id: Annotated[str, typer.Argument(help="Who shall be erased.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    content: Content = None,
) -> None:
    """Erase a user: every order, file and record."""
    from aigen import generation

    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"erasing {user_id!r} cannot be undone: say --yes")
        typer.confirm(f"Erase {user_id} with every picture, video and record?", abort=True, err=True)
    with _open_workshop(content) as workshop:
        kept = generation.erase_user(workshop, user_id)
        _say(f"user {user_id} is erased")
        if kept:
            folder = workshop.content.user(user_id)
            _say(f"not made by aigen and kept in {folder}: {', '.join(kept)}")


@app.command()
def doctor(as_json: Json = False, content: Content = None) -> None:
    """Say what this machine can do, what was chosen and why, and what is missing."""
    from dataclasses import asdict

    from aigen.doctor import examine

    settings = _settings()
    findings = examine(settings.content(content), settings)
    if as_json:
        _print_json([asdict(finding) for finding in findings])
    for finding in [] if as_json else findings:
        advice = f" -> {finding.advice}" if finding.advice else ""
        typer.echo(f"{finding.state:5}  {finding.name:14}  {finding.text}{advice}")
    if any(finding.state == "wrong" for finding in findings):
        raise typer.Exit(1)
