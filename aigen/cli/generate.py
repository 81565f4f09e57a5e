"""Order pictures and videos: `aigen generate`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aigen.cli.notices import announce, tell
from aigen.cli.orders import order_json, print_order, say_cost
from aigen.cli.program import (
    Content,
    Json,
    amount,
    app,
    is_terminal,
    load_settings,
    open_context,
    print_json,
    say,
    whole_number,
)
from aigen.errors import CostError, GenerationError, Interrupted, UsageError
from aigen.types.styles import STYLES

if TYPE_CHECKING:
    from aigen.orders.context import Context
    from aigen.types.reports import Report
    from aigen.types.request import Attachments, Draft
    from aigen.types.rows import Generation


# What every command that orders something takes.
Seed = Annotated[
    int | None,
    typer.Option("--seed", parser=whole_number, metavar="N", help="The same seed makes the same again [random]."),
]
NotifyAt = Annotated[
    str | None, typer.Option("--notify-at", metavar="WHEN", help="HH:MM, 'tomorrow HH:MM' or ISO 8601 [at once].")
]
Notify = Annotated[
    list[str] | None,
    typer.Option(
        "--notify",
        metavar="CHANNEL",
        help="terminal, desktop, mailto:ADDRESS or a messenger's URL; repeatable [terminal].",
    ),
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait for the time of the notice.")]
MaxCost = Annotated[
    float | None,
    typer.Option("--max-cost", parser=amount, metavar="USD", help="Order it only if it costs no more than this."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Agree to the cost without being asked.")]
Detach = Annotated[bool, typer.Option("--detach", help="Order, start a worker, and return at once.")]


@app.command()
def generate(
    context: typer.Context,
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
    from_image: Annotated[
        Path | None, typer.Option("--from-image", metavar="FILE", help="Start from this picture: a PNG, JPEG or WebP.")
    ] = None,
    vision_model: Annotated[
        str | None,
        typer.Option(
            "--vision-model", metavar="NAME", help="Who looks at that picture [one that is here: aigen models]."
        ),
    ] = None,
    narrate: Annotated[
        bool, typer.Option("--narrate", help="Have the prompt spoken in the videos (aigen narrate).")
    ] = False,
    images: Annotated[
        int | None,
        typer.Option("--images", parser=whole_number, metavar="N", help="How many images [5; like a file: 0]."),
    ] = None,
    videos: Annotated[
        int | None,
        typer.Option("--videos", parser=whole_number, metavar="N", help="How many videos [5; like a file: 0]."),
    ] = None,
    model: Annotated[str | None, typer.Option("--model", metavar="NAME", help="What makes them.")] = None,
    image_model: Annotated[
        str | None, typer.Option("--image-model", metavar="NAME", help="What makes the images.")
    ] = None,
    video_model: Annotated[
        str | None, typer.Option("--video-model", metavar="NAME", help="What makes the videos.")
    ] = None,
    style: Annotated[str | None, typer.Option("--style", metavar="NAME", help=f"{', '.join(STYLES)} [plain].")] = None,
    seed: Seed = None,
    size: Annotated[
        str | None, typer.Option("--size", metavar="WxH", help="In pixels [1024x1024, videos 1280x720].")
    ] = None,
    duration: Annotated[
        float | None, typer.Option("--duration", metavar="SECONDS", help="How long a video lasts [4].")
    ] = None,
    fps: Annotated[
        int | None, typer.Option("--fps", parser=whole_number, metavar="N", help="Frames a second of a video [24].")
    ] = None,
    frames: Annotated[
        int | None, typer.Option("--frames", parser=whole_number, metavar="N", help="Frames of a video, instead.")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option("--steps", parser=whole_number, metavar="N", help="Of a diffusion model [as suits it]."),
    ] = None,
    guidance: Annotated[
        float | None,
        typer.Option("--guidance", metavar="X", help="How closely it keeps to the prompt [as suits it]."),
    ] = None,
    negative: Annotated[
        str | None, typer.Option("--negative", metavar="TEXT", help="What a diffusion model is to keep out.")
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Decode by a tiny decoder: quicker, less fine.")] = False,
    guide: Annotated[
        str | None,
        typer.Option(
            "--guide", metavar="NAME", help="Start from a picture by storybook: counts and places come out right."
        ),
    ] = None,
    strength: Annotated[
        float | None, typer.Option("--strength", metavar="X", help="How much of the guide is made anew, 0 to 1 [0.6].")
    ] = None,
    max_cost: MaxCost = None,
    yes: Yes = False,
    notify_at: NotifyAt = None,
    notify: Notify = None,
    no_wait: NoWait = False,
    detach: Detach = False,
    plan: Annotated[bool, typer.Option("--plan", help="Show what would be drawn; make nothing.")] = False,
    as_json: Json = False,
    content: Content = None,
) -> None:
    """Make images and videos from a prompt."""
    from aigen.types.request import Attachments

    given = draft_options(context)
    if from_image:
        given["from_picture"] = True
    elif prompt is None and from_info is None:
        given |= _ask(notify_at)
    load_settings().content(content)  # an error in it does not stand in the file of --from-info
    with _named_in_errors(from_info):
        order = Order(_draft(from_info, given), user, Attachments(picture=from_image), content, as_json)
        if plan:
            _print_plan(order)
        else:
            make_order(order, no_wait=no_wait, detach=detach)


@dataclass(frozen=True)
class Order:
    """An order from the command line: draft, user, attached files, content folder, and the output format."""

    draft: "Draft"
    user: str | None
    attachments: "Attachments"
    content: Path | None
    as_json: bool


def draft_options(context: typer.Context) -> dict[str, Any]:
    """Return the given options that have the name of a field of `Draft`; Typer reads them from the signature."""
    from aigen.types.request import Draft

    names = {each.name for each in fields(Draft)}
    given = {name: value for name, value in context.params.items() if name in names and value not in (None, [], ())}
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items() if value is not False
    }


def _draft(from_info: Path | None, given: dict[str, Any]) -> "Draft":
    from aigen.media import provenance
    from aigen.orders import reorder
    from aigen.types.request import Draft

    if from_info is None:
        return Draft(**given)
    found = provenance.read(from_info)
    try:
        return reorder.reorder(found, given)
    except UsageError as error:
        raise UsageError(f"{str(from_info)!r}: {error}") from error


@contextmanager
def _named_in_errors(from_info: Path | None) -> Iterator[None]:
    """Say that what is wrong may stand in a file, and how to change it."""
    try:
        yield
    except CostError:
        raise
    except UsageError as error:
        if from_info is None:
            raise
        raise UsageError(f"--from-info: {error} (other options win over what the file says)") from error


def _ask(notify_at: str | None) -> dict[str, Any]:
    """Ask for prompt and notification time on a terminal; return the answers by the names of the draft's fields."""
    from aigen.times import resolve, utc_now
    from aigen.types.request import check_prompt

    if not is_terminal(sys.stdin):
        raise UsageError('a prompt is missing: aigen generate "a whale under the stars"')
    prompt = _ask_until_right("What shall they show", check_prompt)
    if notify_at is None:
        notify_at = _ask_until_right(
            "When shall you be told (HH:MM; empty: at once)", lambda answer: resolve(answer, utc_now()), default=""
        )
    return {"prompt": prompt, "notify_at": notify_at or None}


def _ask_until_right(question: str, check: Callable[[str], object], default: str | None = None) -> str:
    while True:
        answer: str = typer.prompt(question, default=default, show_default=False, err=True)
        try:
            check(answer)
        except UsageError as error:
            say(str(error))
        else:
            return answer


def _print_plan(order: Order) -> None:
    """Print the planned scene. Writes nothing."""
    from aigen.cli.progress import Display
    from aigen.notify import channels
    from aigen.orders import placing
    from aigen.orders.tasks import prompt_of
    from aigen.wording import readable, spoken_price, visible

    channels.check(order.draft.notify, load_settings())
    with Display() as display, open_context(order.content, display) as context:
        prepared = placing.prepare(context, order.draft, order.user, order.attachments)
        request = prepared.request
        name = request.guide or request.image_model or request.video_model or ""
        pipeline = context.pipeline(name)
    if not hasattr(pipeline, "plan"):
        raise UsageError(
            f"model {name!r} plans no scene that could be shown: add --model storybook or --guide storybook"
        )
    prompt = prompt_of(request).choose(request.seed or 0)
    scene = pipeline.plan(prompt, request.seen) if request.seen else pipeline.plan(prompt)
    if order.as_json:
        print_json(scene)
        return
    if prepared.price != 0:
        say(f"estimated cost: {spoken_price(prepared.price)}")
    for field, value in scene.items():
        typer.echo(visible(f"{field:10} {readable(value) if value else '-'}"))


def make_order(order: Order, *, no_wait: bool, detach: bool) -> None:
    """Place an order and run it here, or leave it to a worker (`detach`)."""
    from aigen.notify import channels

    channels.check(order.draft.notify, load_settings())
    if detach:
        _detach(order)
    else:
        _generate(order, no_wait=no_wait)


def _agree(price: float | None) -> None:
    """Ask on a terminal whether an order of this price may be placed."""
    from aigen.errors import Cancelled
    from aigen.orders.context import refuse_to_pay
    from aigen.wording import spoken_price

    if not is_terminal(sys.stdin) or not is_terminal(sys.stderr):
        refuse_to_pay(price)
    about = "" if price is None else "about "
    typer.echo(f"This order costs {about}{spoken_price(price)}. Place it? [y/N]: ", nl=False, err=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Cancelled("nothing was ordered")


def _detach(order: Order) -> None:
    """Place an order for the worker, and see that one runs."""
    from aigen.cli.progress import Display
    from aigen.orders import placing, worker

    with Display() as display, open_context(order.content, display, agree=_agree) as context:
        placed = placing.place(context, order.draft, order.user, order.attachments, detached=True)
        worker.start(context.content)
        announce(context, placed, waits=False)
        if order.as_json:
            print_json(order_json(context, placed))
            return
        typer.echo(f"user {placed.user_id}")
        say(f"see how far it is: aigen status {placed.user_id} --watch")


def _generate(order: Order, *, no_wait: bool) -> None:
    """Place an order, make it here, and tell when its time has come."""
    from aigen.cli.progress import Display
    from aigen.notify import foreground
    from aigen.notify.links import base_url
    from aigen.orders import lifecycle
    from aigen.types.reports import Placed

    with ExitStack() as stack:
        display = stack.enter_context(Display())
        placed: list[str] = []

        def report(event: "Report") -> None:
            if isinstance(event, Placed):
                generation = event.generation
                placed.append(generation.generation_id)
                stack.enter_context(foreground.own_terminal(context.content, generation.generation_id))
                with suppress(OSError):  # nobody reads us; the order is made all the same
                    typer.echo(f"user {generation.user_id}", err=order.as_json)
                    announce(context, generation, waits=not no_wait)
            display(event)

        context = stack.enter_context(open_context(order.content, report, agree=_agree))
        lifecycle.tidy(context)
        try:
            made = lifecycle.generate(context, order.draft, order.user, order.attachments)
        except GenerationError:
            display.stop()
            tell(context, placed[0], said=True)
            raise
        display.stop()
        if not no_wait:
            _wait(context, made)
        tell(context, made.generation_id)
        say_cost(context, made)
        if "terminal" not in made.request.notify:  # else the notice has the link
            say(f"in the web gallery: {base_url(load_settings(), context.content)}/dash")
        print_order(context, made, order.as_json)


def _wait(context: "Context", order: "Generation") -> None:
    """Wait for the time of the notice, unless somebody else gives it."""
    import time

    from aigen.notify import daemon, foreground

    mine = "terminal" in order.request.notify or not daemon.is_running(context.content)
    if not mine or not foreground.seconds_early(order, context.clock):
        return
    say("it is made; waiting for the time to tell you (Ctrl-C ends the waiting only)")
    try:
        foreground.wait_until_due(order, context.clock, time.sleep)
    except KeyboardInterrupt:
        raise Interrupted(
            f"not waiting any more; it is made: aigen status {order.user_id}; "
            "its notices are kept: aigen notify-daemon sends them, the next command on a terminal shows its own"
        ) from None
