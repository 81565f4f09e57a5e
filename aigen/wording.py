"""How values are worded for people: made safe to print, short enough, and readable."""

import math
from typing import Any


def visible(text: str) -> str:
    """Text that is safe to print: control and direction characters are written out instead of obeyed."""
    return "".join(
        part if part.isprintable() or part == "\u200d" else part.encode("unicode_escape").decode() for part in text
    )


def spoken_price(price: float | None) -> str:
    """Return a price in USD in words, rounded up to a cent; below that, with four decimals."""
    if price is None:
        return "an unknown amount"
    cents = math.ceil(round(price * 100, 3))
    return f"${cents / 100:.2f}" if price >= 0.01 else f"${price:.4f}"


def shortened(text: str, limit: int = 60) -> str:
    text = visible(text)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def readable(value: Any) -> str:
    """A value of JSON as people read it: counted things as `2 red cat (sleep, on bed)`, seen ones as `cat (80 %)`.

    What has no value is left out.
    """
    if isinstance(value, list):
        return ", ".join(map(readable, value))
    if not isinstance(value, dict):
        return str(value)
    if {"objects", "caption", "description"} <= set(value):  # what is seen in a picture
        return " ".join(str(value[name]) for name in ("description", "facts") if value.get(name))
    if {"name", "score", "box"} <= set(value):
        return f"{value['name']} ({100 * value['score']:.0f} %)"
    if {"name", "count"} <= set(value):
        size, relation = value.get("size"), value.get("relation")
        words = [value["count"], size if size != "normal" else None, value.get("color"), value["name"]]
        more = [value.get("action"), " ".join(map(str, relation.values())) if isinstance(relation, dict) else None]
        told = ", ".join(str(part) for part in more if part)
        return " ".join(str(word) for word in words if word) + (f" ({told})" if told else "")
    return "; ".join(f"{name}: {readable(entry)}" for name, entry in value.items() if entry not in (None, [], {}, ""))


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def spoken_duration(seconds: float) -> str:
    """A duration in words, as exactly as people care: 12 s, 3 min 5 s, 2 h 10 min."""
    minutes, rest = divmod(max(1, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def spoken_size(size: float) -> str:
    """Bytes as people read them: 12 MB, 2.6 GB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(1, round(size / 1e6))} MB"
