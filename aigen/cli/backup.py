"""Back up the content folder, and restore it: `aigen backup`, `aigen restore`."""

from pathlib import Path
from typing import Annotated

import typer

from aigen.cli.program import Content, app, load_settings, open_context, say


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The archive to write, such as aigen.tar.")], content: Content = None
) -> None:
    """Back up everything into one file; orders may go on meanwhile."""
    from aigen.orders.backup import back_up
    from aigen.wording import spoken_size

    with open_context(content) as context:
        made = back_up(context, file)
    typer.echo(file)
    say(f"orders: {made.orders}, files: {made.files}, {spoken_size(made.size)}, verified")
    if made.missing:
        say(f"files that are gone and not in it: {', '.join(made.missing)}; see aigen repair")
        raise typer.Exit(1)


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="An archive by aigen backup.")], content: Content = None) -> None:
    """Restore a backup into an empty content folder."""
    from aigen.orders.backup import restore
    from aigen.wording import spoken_size

    folder = load_settings().content(content)
    made = restore(file, folder)
    typer.echo(folder.root)
    say(f"orders: {made.orders}, files: {made.files}, {spoken_size(made.size)}, verified")
