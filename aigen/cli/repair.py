"""Find and mend what was damaged: `aigen repair`."""

from typing import Annotated

import typer

from aigen.cli.program import Content, Json, app, open_context, print_json, say


@app.command()
def repair(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is wrong; change nothing.")] = False,
    as_json: Json = False,
    content: Content = None,
) -> None:
    """Find and mend what was damaged: rows, files, thumbnails, the search index."""
    from dataclasses import asdict

    from aigen.orders import repair as repairs
    from aigen.wording import visible

    with open_context(content) as context:
        found = list(repairs.repair(context, dry_run))
    if as_json:
        print_json([asdict(damage) for damage in found])
    for damage in [] if as_json else found:
        typer.echo(visible(f"{damage.name:18}  {damage.text} -> {damage.mending}"))
    if not found:
        say("nothing is damaged")
    if any(not damage.mended for damage in found):
        raise typer.Exit(1)
