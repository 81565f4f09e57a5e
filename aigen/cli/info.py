"""What files say: `aigen info`."""

from pathlib import Path
from typing import Annotated

import typer

from aigen.cli.program import Content, Json, app, print_json


@app.command()
def info(
    file: Annotated[Path, typer.Argument(help="A PNG, JPEG, WebP or MP4 file, by aigen or another program.")],
    as_json: Json = False,
    content: Content = None,
) -> None:
    """Show what a file says about itself: what it was made from and by."""
    from aigen.media import provenance
    from aigen.wording import readable, visible

    found = provenance.read(file)
    if as_json:
        print_json(provenance.as_json(found))
        return
    said = {**found.parameters, **provenance.as_json(found), "mark": provenance.explain(found.source_type)}
    told = {
        name: said[name] for name in ("prompt", "model", "seed", "mark", *found.parameters) if said[name] is not None
    }
    width = max(map(len, told), default=0)
    for name, value in told.items():
        first, *others = map(visible, readable(value).splitlines() or [""])
        typer.echo(f"{visible(name):{width}}  {first}")
        for line in others:
            typer.echo(f"{'':{width}}  {line}")
    if found.is_partly_read:
        typer.echo(visible(f"{file} holds metadata that aigen does not understand"))
    elif not told:
        typer.echo(visible(f"{file} does not say what made it"))
