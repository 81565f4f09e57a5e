"""The web gallery: `aigen serve`."""

import signal
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from aigen.cli.program import Content, app, load_settings, say, whole_number

if TYPE_CHECKING:
    from aigen.content import ContentFolder
    from aigen.settings import Settings


@app.command()
def serve(
    host: Annotated[str, typer.Option("--host", metavar="HOST", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", parser=whole_number, metavar="N", help="0: any that is free.")] = 8000,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")] = False,
    base_url: Annotated[
        str | None, typer.Option("--base-url", metavar="URL", help="How it is reached from outside.")
    ] = None,
    token: Annotated[
        bool,
        typer.Option("--token/--no-token", help="Ask for the token in the printed address where no password is given."),
    ] = True,
    content: Content = None,
) -> None:
    """Serve the web gallery: register, log in, order, watch and download; until Ctrl-C."""
    from aigen.viewer import server

    settings = _settings(base_url)
    folder = settings.content(content)
    stop = threading.Event()

    def opened(url: str) -> None:
        if open_browser:
            import webbrowser

            webbrowser.open(url)

    with server.viewable(folder) as folder, server.listen(host, port) as found:
        # Not as exceptions: those could strike in the middle of what is being sent. The second time it is meant so.
        def end(*_: object) -> None:
            if stop.is_set():
                raise KeyboardInterrupt
            stop.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, end)
        server.serve(folder, settings, found, host, stop, say, opened, lambda: _settings(base_url), token)
    if not folder.is_read_only and (waiting := _still_made(folder)):
        say(f"still being made in the background: {waiting} orders; aigen status shows them")


def _still_made(folder: "ContentFolder") -> int:
    from aigen.store import Store

    with Store.open(folder) as store:
        return len(store.generations(status="Processing"))


def _settings(base_url: str | None) -> "Settings":
    settings = load_settings()
    return replace(settings, values={**settings.values, "AIGEN_BASE_URL": base_url}) if base_url else settings
