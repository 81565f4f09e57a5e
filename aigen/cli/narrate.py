"""Have a text told in a film: `aigen narrate`."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from aigen.cli.generate import Detach, MaxCost, Notify, NotifyAt, NoWait, Order, Seed, Yes, draft_options, make_order
from aigen.cli.program import Content, Json, app, whole_number
from aigen.errors import UsageError
from aigen.types.styles import STYLES

# Of the script, what stands for the film in lists and searches.
TITLE_LENGTH = 120


@app.command()
def narrate(
    context: typer.Context,
    text: Annotated[str | None, typer.Argument(help="What shall be said; - reads it from standard input.")] = None,
    file: Annotated[
        str | None, typer.Option("--file", metavar="FILE", help="A text file to be read aloud; - for standard input.")
    ] = None,
    user: Annotated[str | None, typer.Option("--user", metavar="ID", help="Whose it is [a new random id].")] = None,
    scenes: Annotated[
        str, typer.Option("--scenes", metavar="N", help="How many scenes, or auto: about 8 seconds each.")
    ] = "auto",
    voice: Annotated[str, typer.Option("--voice", metavar="NAME", help="hibari (English), piper or gtts.")] = "hibari",
    music: Annotated[
        Path | None,
        typer.Option("--music", metavar="FILE", help="Played beneath the voice, looped, softer while it speaks."),
    ] = None,
    captions: Annotated[
        str,
        typer.Option("--captions", metavar="HOW", help="burned into the picture, srt (files beside the film), or off."),
    ] = "burned",
    transition: Annotated[str, typer.Option("--transition", metavar="HOW", help="fade or cut.")] = "fade",
    model: Annotated[str | None, typer.Option("--model", metavar="NAME", help="What makes the pictures.")] = None,
    video_model: Annotated[
        str | None, typer.Option("--video-model", metavar="NAME", help="What makes the whole film, such as pictory.")
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(
            "--style", metavar="NAME", help=f"{', '.join(STYLES)} [plain, dramatic and photorealistic in turn]."
        ),
    ] = None,
    seed: Seed = None,
    size: Annotated[str | None, typer.Option("--size", metavar="WxH", help="In pixels [1280x720].")] = None,
    fps: Annotated[
        int | None, typer.Option("--fps", parser=whole_number, metavar="N", help="Frames a second [25].")
    ] = None,
    max_cost: MaxCost = None,
    yes: Yes = False,
    notify_at: NotifyAt = None,
    notify: Notify = None,
    no_wait: NoWait = False,
    detach: Detach = False,
    as_json: Json = False,
    content: Content = None,
) -> None:
    """Make a narrated film from a text."""
    from aigen.types.request import Attachments, Draft, Narration
    from aigen.wording import shortened

    script = _read(text, file)
    told: Any = {"styles": (style,)} if style else {}
    narration = Narration(
        script=script,
        scenes=_count(scenes),
        voice=voice,
        captions=captions,  # type: ignore[arg-type]  # what it may be is checked there
        transition=transition,  # type: ignore[arg-type]
        **told,
    )
    title = shortened(" ".join(script.split()), TITLE_LENGTH)
    given = draft_options(context) | {"prompt": title, "images": 0, "videos": 1, "narration": narration}
    given.pop("style", None)  # which is that of the scenes
    order = Order(Draft(**given), user, Attachments(music=music), content, as_json)
    make_order(order, no_wait=no_wait, detach=detach)


def _read(text: str | None, file: str | None) -> str:
    from aigen.film import script

    if (text is None) == (file is None):
        raise UsageError('give a text or --file FILE: aigen narrate "The keeper lit the lamp."')
    name = "-" if text == "-" else file
    if name is None:
        assert text is not None
        return text
    if name == "-":
        return script.read(sys.stdin.buffer.read(), "from standard input")
    try:
        return script.read(Path(name).read_bytes(), repr(name))
    except OSError as error:
        raise UsageError(f"script {name!r} cannot be read ({error.strerror}): check the path") from error


def _count(scenes: str) -> int | None:
    if scenes == "auto":
        return None
    if not scenes.lstrip("-").isdecimal() or not scenes.isascii():
        raise UsageError(f"scenes is {scenes[:20]!r}: give a number from 1, or auto")
    return int(scenes)
