"""A notice on the terminal: a panel, or plain lines where the messages go into a file or a pipe."""

from typing import TYPE_CHECKING

from aigen.errors import NotDelivered
from aigen.notify.messages import Message
from aigen.wording import visible

if TYPE_CHECKING:
    from rich.console import Console


def show(message: Message, console: "Console | None" = None) -> None:
    """Print a message on stderr. Raises NotDelivered when nobody reads that any more."""
    from rich.console import Console

    try:
        _print(message, console or Console(stderr=True, emoji=False, highlight=False))
    except (OSError, SystemExit) as error:  # rich ends the program when its pipe breaks
        raise NotDelivered("the terminal has gone") from error


def _print(message: Message, console: "Console") -> None:
    from rich.panel import Panel
    from rich.text import Text

    facts = [visible(fact) for fact in message.facts]
    remark = "" if message.served else " (opens while aigen serve runs)"
    if not console.is_terminal:
        for line in (f"{message.heading}: {visible(message.prompt)}", *facts, message.link + remark):
            console.print(line, markup=False, soft_wrap=True)
        return
    colour = "green" if message.event == "completed" else "red"
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
    console.print(Panel(text, title=message.heading, title_align="left", border_style=colour, expand=False))
    if not fits:
        console.print(message.link, markup=False, soft_wrap=True)  # in a panel it would be cut in two
