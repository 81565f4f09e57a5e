"""What a notice says: the same for every channel, each of which shows as much of it as it can."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aigen.content import ContentFolder
from aigen.errors import ContentError
from aigen.media import thumbnails
from aigen.models.catalogue import display_name
from aigen.notify import links
from aigen.notify.links import Link
from aigen.store import Store
from aigen.times import Clock, from_text
from aigen.types.request import KINDS
from aigen.types.rows import Event, Generation, Item, Notice
from aigen.wording import shortened, spoken_duration

PICTURES = 3


@dataclass(frozen=True)
class Message:
    """A notice in words.

    `key` is the same whenever the same notice is sent again; `title` is for where there is one line only, `heading` for
    where the prompt stands below it; `facts` are whole sentences; `link` opens the order in the web gallery, once and
    until `expires_at`, if that is `served` now; `pictures` are small ones (WebP), and `picture` is a large one.
    """

    key: str
    event: Event
    title: str
    heading: str
    prompt: str
    facts: tuple[str, ...]
    link: str
    written_at: datetime
    expires_at: datetime | None = None
    served: bool = True
    folder: Path | None = None
    pictures: tuple[Path, ...] = ()
    picture: Path | None = None

    @property
    def action(self) -> str:
        """What its link does, as the label of a button."""
        return "Confirm" if self.event == "confirm" else "Open the gallery"

    @property
    def body(self) -> str:
        """What stands below the title, as plain text."""
        return "\n".join((*self.facts, self.link))


def compose(
    store: Store, content: ContentFolder, notice: Notice, order: Generation, link: Link, url: str, clock: Clock
) -> Message:
    """Return the message of a notice, with its link into the web gallery at this URL."""
    key = f"{order.generation_id}.{notice.event}.{order.attempts}.{notice.id}"
    if notice.event == "confirm":
        return _ask(key, notice, link, url, clock)
    items = store.items(order.generation_id)
    done = [item for item in items if item.state == "done"]
    pictures = [item for item in done if item.kind == "image"] or done
    return Message(
        key=key,
        event=notice.event,
        title=f"{'Ready' if notice.event == 'completed' else 'Failed'}: {shortened(order.prompt, 50)}",
        heading="Your content is ready" if notice.event == "completed" else "Your order failed",
        prompt=shortened(order.prompt, 200),
        facts=_facts(order, items) if notice.event == "completed" else _reasons(order, items),
        link=link.address(url),
        written_at=clock(),
        expires_at=link.expires_at,
        served=links.is_served(content),
        folder=content.user(order.user_id) if done else None,
        pictures=tuple(_thumbnails(content, pictures[:PICTURES])),
        picture=next((content.file(item.path) for item in done if item.kind == "image" and item.path), None),
    )


def _ask(key: str, notice: Notice, link: Link, url: str, clock: Clock) -> Message:
    """Return the mail that asks to confirm an address. It has nothing in it that a user has typed."""
    return Message(
        key=key,
        event=notice.event,
        title="Confirm your address for aigen",
        heading="Confirm your address",
        prompt="",
        facts=(
            f"Somebody asked the aigen gallery at {url} to send notifications to this address.",
            "If that was you, confirm it. If not, ignore this mail: nothing about orders will be sent to you.",
        ),
        link=link.address(url),
        written_at=clock(),
        expires_at=link.expires_at,
    )


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _facts(order: Generation, items: list[Item]) -> tuple[str, ...]:
    numbers = Counter(item.kind for item in items)
    made = " and ".join(counted(numbers[kind], kind) for kind in KINDS if numbers[kind])
    models = ", ".join(dict.fromkeys(display_name(item.model) for item in items))
    assert order.generated_at
    took = (from_text(order.generated_at) - from_text(order.requested_at)).total_seconds()
    return (f"{made} by {models}, made in {spoken_duration(took)}.",)


def _reasons(order: Generation, items: list[Item]) -> tuple[str, ...]:
    done = sum(item.state == "done" for item in items)
    return (
        f"The reason: {shortened(order.error or 'not known', 300)}",
        f"{done} of {len(items)} are made and stay. Try again: aigen resume {order.generation_id}",
    )


def _thumbnails(content: ContentFolder, items: list[Item]) -> list[Path]:
    """Small pictures of items. One that cannot be made is left out: the notice matters more."""
    found = []
    for item in items:
        try:
            found.append(thumbnails.thumbnails(content, item)["small"])
        except (ContentError, OSError):
            continue
    return found
