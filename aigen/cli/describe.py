"""What is in a picture: `aigen describe`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aigen.cli.program import Content, Json, app, print_json

if TYPE_CHECKING:
    from aigen.types.seen import ImageDescription


@app.command()
def describe(
    file: Annotated[Path, typer.Argument(help="A PNG, JPEG or WebP picture.")],
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Who looks [one that is here: aigen models].")
    ] = None,
    as_json: Json = False,
    content: Content = None,
) -> None:
    """Say what is in a picture, and where."""
    from aigen import vision
    from aigen.wording import visible

    seen = vision.describe(file, vision.load(vision.choose(model)))
    if as_json:
        print_json(_as_json(seen))
        return
    typer.echo(visible(seen.text))
    width = max((len(each.name) for each in seen.objects), default=0)
    for each in seen.objects:
        left, top, right, bottom = each.box
        typer.echo(visible(f"{each.name:{width}}  {100 * each.score:3.0f} %  {left},{top} to {right},{bottom}"))


def _as_json(seen: "ImageDescription") -> dict[str, Any]:
    told = seen.as_json()
    return {
        "objects": told["objects"],
        "description": seen.text,
        "size": f"{seen.width}x{seen.height}",
        "model": seen.model,
    }
