"""A notice on the terminal: a panel, or plain lines where the messages go into a file or a pipe."""

from typing import TYPE_CHECKING

from aigen.notify.messages import Message
from aigen.wording import visible

if TYPE_CHECKING:
    from rich.console import Console


def show(message: Message, console: "Console | None" = None) -> None:
    """Print a message on stderr."""
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    console = console or Console(stderr=True, highlight=False)
    facts = [visible(fact) for fact in message.facts]
    remark = "" if message.served else " (no web gallery is running)"
    heading, good = ("Your content is ready", "green") if message.event == "completed" else ("An order failed", "red")
    if not console.is_terminal:
        for line in (f"{heading}: {visible(message.prompt)}", *facts, message.link + remark):
            console.print(line, markup=False, soft_wrap=True)
        return
    text = Text(visible(message.prompt), style="bold")
    for fact in facts:
        text.append(f"\n{fact}", style="not bold")
    if message.folder:
        text.append(f"\n{message.folder}", style="not bold dim")
    text.append("\n")
    fits = len(message.link) <= console.width - 4
    text.append(message.link if fits else "The link is below.", style=f"not bold cyan link {message.link}")
    if remark:
        text.append(f"\n{remark.strip()}", style="not bold dim")
    console.print(Panel(text, title=heading, title_align="left", border_style=good, expand=False))
    if not fits:
        console.print(message.link, markup=False, soft_wrap=True)  # in a panel it would be cut in two
