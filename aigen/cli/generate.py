"""Order pictures and videos: `aigen generate`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aigen.cli.notices import announce, tell
from aigen.cli.orders import order_json, print_order
from aigen.cli.program import Content, Json, app, load_settings, open_context, print_json, say, whole_number
from aigen.errors import GenerationError, Interrupted, UsageError
from aigen.types.styles import STYLES

if TYPE_CHECKING:
    from aigen.orders.context import Context
    from aigen.types.reports import Report
    from aigen.types.request import Attachments, GenerationRequest, Narration
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
Detach = Annotated[bool, typer.Option("--detach", help="Order, start a worker, and return at once.")]


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
    notify_at: NotifyAt = None,
    notify: Notify = None,
    no_wait: NoWait = False,
    detach: Detach = False,
    plan: Annotated[bool, typer.Option("--plan", help="Show what would be drawn; make nothing.")] = False,
    as_json: Json = False,
    content: Content = None,
) -> None:
    """Make images and videos from a prompt."""
    from aigen import vision
    from aigen.notify import channels
    from aigen.orders import placing
    from aigen.types.request import Attachments, GenerationRequest
    from aigen.types.styles import STYLES_IN_TURN
    from aigen.wording import visible

    if prompt is None and from_info is None and from_image is None:
        prompt, notify_at = _ask(notify_at)
    seen = vision.describe(from_image, camera=False) if from_image else None
    anew = seen if from_info is None else None
    said = anew.description if prompt is None and anew else prompt
    prompt = anew.prompt if prompt is None and anew else prompt
    if seen:
        say(f"seen in it: {visible(seen.text)}")
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
        "duration": duration,
        "fps": fps,
        "frames": frames,
        "steps": steps,
        "guidance": guidance,
        "negative": negative,
        "fast": fast or None,
        "guide": guide,
        "strength": strength,
        "from_picture": from_image is not None or None,
        "seen": seen,
        "vision_model": vision_model,
        "styles": STYLES_IN_TURN if anew and style is None else None,
        "notify_at": notify_at,
        "notify": tuple(notify) if notify else None,
        "narration": _narration(said, style) if narrate and said else None,
    }
    given = {name: value for name, value in options.items() if value is not None}
    # Before the store is opened: a wrong order leaves nothing behind, not even an empty store.
    with _named_in_errors(from_info):
        request = _reorder(from_info, given) if from_info else GenerationRequest(**given)
        request = placing.check(request, user, load_settings().model)
        channels.check(request.notify, load_settings())
    if plan:
        _print_plan(request, as_json)
    else:
        make_order(
            request,
            user,
            Attachments(picture=from_image),
            no_wait=no_wait,
            detach=detach,
            as_json=as_json,
            content=content,
        )


def _narration(prompt: str, style: str | None) -> "Narration":
    """The prompt as a script."""
    from aigen.types.request import Narration

    return Narration(script=prompt, styles=(style,)) if style else Narration(script=prompt)


def _reorder(file: Path, given: dict[str, Any]) -> "GenerationRequest":
    from aigen.media import provenance
    from aigen.orders import reorder

    found = provenance.read(file)
    try:
        return reorder.reorder(found, given)
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
    from aigen.types.request import check_prompt

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
            say(str(error))
        else:
            return answer


def _print_plan(request: "GenerationRequest", as_json: bool) -> None:
    from aigen import pipelines

    name = request.guide or request.image_model or request.video_model
    assert name is not None
    pipeline = pipelines.load(name)
    if not hasattr(pipeline, "plan"):
        raise UsageError(
            f"model {name!r} plans no scene that could be shown: add --model storybook or --guide storybook"
        )
    scene = pipeline.plan(request.prompt, request.seen) if request.seen else pipeline.plan(request.prompt)
    if as_json:
        print_json(scene)
        return
    from aigen.wording import readable, visible

    for field, value in scene.items():
        typer.echo(visible(f"{field:10} {readable(value) if value else '-'}"))


def make_order(
    request: "GenerationRequest",
    user: str | None,
    attachments: "Attachments",
    *,
    no_wait: bool,
    detach: bool,
    as_json: bool,
    content: Path | None,
) -> None:
    """Place an order that was checked, and make it here, or leave it to a worker (`detach`)."""
    if detach:
        _detach(request, user, attachments, as_json=as_json, content=content)
    else:
        _generate(request, user, attachments, no_wait=no_wait, as_json=as_json, content=content)


def _detach(
    request: "GenerationRequest", user: str | None, attachments: "Attachments", *, as_json: bool, content: Path | None
) -> None:
    """Place an order for the worker, and see that one runs."""
    from aigen.cli.progress import Display
    from aigen.orders import placing, worker

    with Display() as display, open_context(content, display, create=True) as context:
        order = placing.place(context, request, user, attachments, detached=True)
        worker.start(context.content)
        announce(context, order, waits=False)
        if as_json:
            print_json(order_json(context, order))
            return
        typer.echo(f"user {order.user_id}")
        say(f"see how far it is: aigen status {order.user_id} --watch")


def _generate(
    request: "GenerationRequest",
    user: str | None,
    attachments: "Attachments",
    *,
    no_wait: bool,
    as_json: bool,
    content: Path | None,
) -> None:
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
                order = event.generation
                placed.append(order.generation_id)
                stack.enter_context(foreground.own_terminal(context.content, order.generation_id))
                with suppress(OSError):  # nobody reads us; the order is made all the same
                    typer.echo(f"user {order.user_id}", err=as_json)
                    announce(context, order, waits=not no_wait)
            display(event)

        context = stack.enter_context(open_context(content, report, create=True))
        lifecycle.tidy(context)
        try:
            order = lifecycle.generate(context, request, user, attachments)
        except GenerationError:
            display.stop()
            tell(context, placed[0], said=True)
            raise
        display.stop()
        if not no_wait:
            _wait(context, order)
        tell(context, order.generation_id)
        if "terminal" not in order.request.notify:  # else the notice has the link
            say(f"in the web gallery: {base_url(load_settings(), context.content)}/dash")
        print_order(context, order, as_json)


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
