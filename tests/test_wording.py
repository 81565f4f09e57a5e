import pytest

from aigen.wording import duration, shortened, visible


def test_control_and_direction_characters_are_written_out() -> None:
    assert visible("a\x1b[31mb\n\x07\u202ec") == "a\\x1b[31mb\\n\\x07\\u202ec"
    assert visible("🐋 é שלום") == "🐋 é שלום"
    assert visible("👩\u200d🚀") == "👩\u200d🚀"


def test_long_texts_are_shortened() -> None:
    assert shortened("x" * 100, 10) == "xxxxxxxxx…"
    assert shortened("short", 10) == "short"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (65.4, "1:05"), (3600 * 2 + 61, "2:01:01")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
