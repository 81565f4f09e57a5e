"""What this machine can do: `aigen doctor`."""

import typer

from aigen.cli.program import Content, Json, app, load_settings, print_json


@app.command()
def doctor(as_json: Json = False, content: Content = None) -> None:
    """Say what this machine can do, what was chosen and why, and what is missing."""
    from dataclasses import asdict

    from aigen.doctor import examine

    settings = load_settings()
    findings = examine(settings.content(content), settings)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    for finding in [] if as_json else findings:
        advice = f" -> {finding.advice}" if finding.advice else ""
        typer.echo(f"{finding.state:5}  {finding.name:14}  {finding.text}{advice}")
    if any(finding.state == "wrong" for finding in findings):
        raise typer.Exit(1)
