"""What this machine can do: `aigen doctor`."""

from typing import TYPE_CHECKING, Annotated

import typer

from aigen.cli.program import Content, Json, app, load_settings, print_json

if TYPE_CHECKING:
    from aigen.cli.checks import Finding


@app.command()
def doctor(
    notify: Annotated[
        list[str] | None,
        typer.Option("--notify", metavar="CHANNEL", help="Send a test notice and say what happened; repeatable."),
    ] = None,
    as_json: Json = False,
    content: Content = None,
) -> None:
    """Say what this machine can do, what was chosen and why, and what is missing."""
    from aigen.cli.checks import examine, try_channel
    from aigen.types.request import check_channel

    settings = load_settings()
    folder = settings.content(content)
    for channel in notify or []:
        check_channel(channel)
    if notify:
        _report([try_channel(channel, folder, settings) for channel in notify], as_json)
    else:
        _report(examine(folder, settings), as_json)


def _report(findings: "list[Finding]", as_json: bool) -> None:
    """Print findings; exit code 1 when something is wrong."""
    from dataclasses import asdict

    if as_json:
        print_json([asdict(finding) for finding in findings])
    for finding in [] if as_json else findings:
        advice = f" -> {finding.advice}" if finding.advice else ""
        typer.echo(f"{finding.state:5}  {finding.name:14}  {finding.text}{advice}")
    if any(finding.state == "wrong" for finding in findings):
        raise typer.Exit(1)
