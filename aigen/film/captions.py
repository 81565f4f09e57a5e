"""What is said, as captions: cut to at most two lines that can be read at once,
timed to the speech, and written as files.

`.srt` is what most players and sites take, `.vtt` what browsers do.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from aigen.film.plan import Line

# Columns of a line, and lines of a caption; letters of Chinese, Japanese and Korean take two.
WIDTH, LINES = 42, 2
# A shorter pause between two captions would only flicker.
PAUSE = 0.2
# After these a sentence is best cut; the closing quotes and brackets may follow.
STRONG, WEAK, CLOSING = ".!?…。！？", ",;:–—،，、；：", "\"'”’»)]）」』"


@dataclass(frozen=True)
class Caption:
    """Lines of text that stand from a time until another."""

    lines: tuple[str, ...]
    begin: float
    end: float


def captions(lines: Sequence[Line], width: int = WIDTH) -> list[Caption]:
    """The captions of what is said, one after another, none while another stands; `width` is in columns."""
    found: list[Caption] = []
    for line in sorted(lines, key=lambda line: line.begin):
        pieces = _pieces(_words(line.text, width), width)
        whole = sum(map(_columns, pieces)) or 1
        begin = line.begin
        for piece in pieces:
            end = begin + line.seconds * _columns(piece) / whole
            found.append(Caption(_balanced(piece, width), begin, end))
            begin = end
    return [
        Caption(caption.lines, caption.begin, after.begin if after.begin - caption.end < PAUSE else caption.end)
        for caption, after in pairwise(found)
    ] + found[-1:]


def write_captions(lines: Sequence[Line], stem: Path) -> None:
    """Write the captions of what is said as SubRip and as WebVTT: the stem with `.srt` and with `.vtt`."""
    found = captions(lines)
    # SubRip has no escapes: what would look like a line of times is written otherwise.
    srt = [
        f"{number}\n{_clock(each.begin, ',')} --> {_clock(each.end, ',')}\n"
        + "\n".join(each.lines).replace("-->", "->")
        + "\n"
        for number, each in enumerate(found, 1)
    ]
    vtt = [
        f"{_clock(each.begin, '.')} --> {_clock(each.end, '.')}\n" + _escaped("\n".join(each.lines)) + "\n"
        for each in found
    ]
    _write(stem.with_name(f"{stem.name}.srt"), "\n".join(srt))
    _write(stem.with_name(f"{stem.name}.vtt"), "\n".join(["WEBVTT\n", *vtt]))


@dataclass(frozen=True)
class _Word:
    """What no line may break, how wide it is, and whether a space stands before it."""

    text: str
    columns: int
    spaced: bool


def _words(text: str, width: int) -> list[_Word]:
    """The words of a text; in scripts that write no spaces, its letters."""
    found: list[_Word] = []
    for word in "".join(letter if letter.isprintable() else " " for letter in text).split():
        spaced, start = True, 0
        for place in range(1, len(word) + 1):
            if place == len(word) or _breakable(word, place) or _width(word[start : place + 1]) > width:
                found.append(_Word(word[start:place], _width(word[start:place]), spaced))
                spaced, start = False, place
    return found


def _breakable(word: str, place: int) -> bool:
    """Whether a line may end within a word: beside a wide letter,
    but not before a sign that closes or after one that opens.
    """
    before, after = word[place - 1], word[place]
    wide = _wide(before) or _wide(after)
    return wide and unicodedata.category(after)[0] in "LN" and unicodedata.category(before) not in ("Ps", "Pi")


def _pieces(words: list[_Word], width: int) -> list[list[_Word]]:
    """The words cut into captions: as few as there can be, alike in length, and cut at punctuation where possible."""
    # The cheapest way to cut the first words, for each number of them: its cost, and where the last piece begins.
    best: list[tuple[float, int]] = [(0.0, 0)]
    whole = _columns(words)
    ideal = whole / max(1, -(-whole // round(LINES * width * 0.92)))
    for end in range(1, len(words) + 1):
        options = []
        for start in range(end - 1, -1, -1):
            piece = words[start:end]
            if start < end - 1 and not _fits(piece, width):
                break
            uneven = (_columns(piece) - ideal) / width
            options.append((best[start][0] + 1 + uneven * uneven + (_cut(piece) if end < len(words) else 0), start))
        best.append(min(options))
    pieces, end = [], len(words)
    while end:
        start = best[end][1]
        pieces.append(words[start:end])
        end = start
    return pieces[::-1]


def _cut(words: list[_Word]) -> float:
    """How bad it is to cut after these words."""
    end = words[-1].text.rstrip(CLOSING)[-1:]
    return 0.0 if end and end in STRONG else 0.15 if end and end in WEAK else 1.0


def _fits(words: list[_Word], width: int) -> bool:
    return _columns(words) <= width or any(_broken(words, width))


def _broken(words: list[_Word], width: int) -> Iterable[int]:
    """Where two lines can be made of words."""
    return (place for place in range(1, len(words)) if max(_columns(words[:place]), _columns(words[place:])) <= width)


def _balanced(words: list[_Word], width: int) -> tuple[str, ...]:
    """The words in one line, or in two alike in length."""
    if _columns(words) <= width:
        return (_text(words),)

    def uneven(place: int) -> float:
        above, below = _columns(words[:place]), _columns(words[place:])
        return abs(above - below) + 8 * _cut(words[:place]) + (2 if above > below else 0)

    places = list(_broken(words, width))
    if not places:
        return (_text(words),)
    place = min(places, key=uneven)
    return _text(words[:place]), _text(words[place:])


def _text(words: list[_Word]) -> str:
    return "".join(f" {word.text}" if word.spaced else word.text for word in words).strip()


def _columns(words: list[_Word]) -> int:
    return sum(word.columns + word.spaced for word in words) - (words[0].spaced if words else 0)


def _width(text: str) -> int:
    return sum(2 if _wide(letter) else 1 for letter in text)


def _wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(seconds: float, point: str) -> str:
    thousandths = max(0, round(seconds * 1000))
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
