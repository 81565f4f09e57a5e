"""JSON as strangers write it: no value of it is larger, deeper or odder than can be printed."""

import json
import math
import re
from typing import Any

# More levels than any of these programs writes, and fewer than Python can print.
_DEPTH_LIMIT = 50


def parse_json(text: str) -> Any:
    """The value that a JSON text stands for, None when it stands for none. A number that is not finite is None too."""
    try:
        value = json.loads(text, parse_constant=lambda name: None, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    level, depth = [value], 0
    while level:
        level = [child for parent in level for child in _children(parent)]
        depth += 1
    return value if depth <= _DEPTH_LIMIT else None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def read_number(text: str) -> str | int | float:
    """Return the number that a text is, or the text."""
    if re.fullmatch(r"-?[0-9]{1,20}", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?[0-9]{1,20}\.[0-9]{1,20}", text) else text
