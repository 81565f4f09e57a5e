"""A text cut into paragraphs and sentences, as a narrator takes breath, and the pauses between them."""

import re
import unicodedata

from aigen.film.speech.reading import says_something, seconds_of

# No line of a narration takes longer than about this, in seconds.
LONGEST = 15.0
PAUSE, PAUSE_OF_PARAGRAPH = 0.35, 0.7
# Lines shorter than this are lines on purpose: headings, verses, lists.
_WRAPPED = 40
_END = re.compile(r"(?:[.!?…]+[\"'”’»)\]*_]*(?=\s))|(?:(?<=[a-z][a-z])[.!?](?=[A-Z][a-z]))|(?:[。！？।]+[」』”]*)")
# A full stop after these ends no sentence; after the second kind it does unless a number follows; after the third it
# does when the next word usually begins one.
_TITLES = set(
    "mr mrs ms mx dr prof gen rev hon capt lt col sgt cmdr sen rep gov pres mt ft "
    "messrs mme mlle e.g i.e eg ie vs cf ca approx viz".split()
)
_NUMBERED = set("no nos fig figs p pp vol ch art sec jan feb mar apr jun jul aug sep sept oct nov dec c est".split())
_OPEN = set("st ave blvd rd inc ltd co corp bros jr sr al dept univ".split())
_STARTERS = set(
    "a an the this that these those he she it we they i you his her its our their "
    "my your there here then when while as at in on "
    "but and or so yet if after before once now what who why how where no not "
    "nobody nothing everyone all every each some one "
    "suddenly finally meanwhile later soon today tomorrow yesterday for from to by with let maybe perhaps".split()
)
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]|ph\.d|[^\W\d_]")
_CUTS = (
    r"(?<=[;:])\s+|\s*(?:—|\s–)\s+",
    r"(?<=,)\s+",
    r"\s+(?=(?:and|but|or|so|because|while|which|who|when|then)\s)",
    r"\s+",
)


def sentences(text: str) -> list[str]:
    """The sentences of a text, one after another."""
    return [sentence for paragraph in paragraphs(text) for sentence in paragraph]


def paragraphs(text: str) -> list[list[str]]:
    """The sentences of each paragraph; what has nothing to say in it is left out."""
    found: list[list[str]] = []
    for block in re.split(r"\n\s*\n", _plain(text)):
        ended = True
        for line in filter(says_something, _unwrapped(block)):
            if ended:
                found.append([])
            found[-1] += [part for sentence in _cut(line) for part in _short(sentence)]
            ended = _END.search(f"{line} ", len(line) - 3) is not None  # a verse or a list goes on
    return found


def pause_after(sentence: str, last_of_paragraph: bool = False) -> float:
    """Seconds of silence that follow a sentence."""
    if last_of_paragraph:
        return PAUSE_OF_PARAGRAPH
    end = sentence.rstrip("\"'”’»)]*_ ")[-3:]
    if end.endswith(("…", "...")):
        return PAUSE + 0.2
    if end.endswith((",", ";", "–", "—")) or (end and end[-1].isalnum()):  # a long sentence was cut here
        return PAUSE - 0.2
    return PAUSE - 0.1 if end.endswith(":") else PAUSE


def _plain(text: str) -> str:
    text = re.sub(r"\r\n?|[\u0085\u2028\v]", "\n", unicodedata.normalize("NFC", text))
    text = re.sub(r"[\u2029\f]", "\n\n", text)
    text = re.sub(r"\.(?:[ \u00a0]\.){2,}", "…", text)
    return "".join(letter if letter == "\n" or unicodedata.category(letter) != "Cc" else " " for letter in text)


def _unwrapped(block: str) -> list[str]:
    """The lines of a block; those that were only wrapped to fit a page are one."""
    lines = [" ".join(line.split()) for line in block.split("\n") if line.strip()]
    width = max(map(len, lines), default=0)
    joined: list[str] = []
    last = ""
    for line in lines:
        wrapped = width >= _WRAPPED and len(last) + 1 + len(line.split()[0]) > width
        listed = re.match(r"(?:[-*•>#]+|\d+[.)])\s", line)
        if joined and not listed and (line[0].islower() or wrapped):
            joined[-1] += f" {line}"
        else:
            joined.append(line)
        last = line
    return joined


def _cut(line: str) -> list[str]:
    found, start = [], 0
    for match in _END.finditer(line):
        if _ends(line, start, match):
            found.append(line[start : match.end()].strip())
            start = match.end()
    found.append(line[start:].strip())
    whole: list[str] = []
    for part in filter(None, found):
        if whole and not (says_something(part) and says_something(whole[-1])):
            whole[-1] += f" {part}"
        else:
            whole.append(part)
    return whole


def _ends(line: str, start: int, match: re.Match[str]) -> bool:
    """Whether a sentence that began at `start` ends with these signs."""
    if match[0][0] in "。！？।":
        return True
    rest = line[match.end() :].lstrip(" \"'“‘«([*_¿¡")
    following = re.match(r"[\w'’]*", rest)
    next_word = following[0] if following else ""
    if next_word[:1].islower():
        return line.islower() and not _goes_on(line[start : match.start()], next_word, lower=True)
    if match[0].startswith(("…", "..")):
        return not next_word.startswith(("I'", "I’")) and next_word != "I"
    return match[0][0] != "." or not _goes_on(line[start : match.start()], next_word)


def _goes_on(before: str, next_word: str, lower: bool = False) -> bool:
    """Whether a full stop after these words belongs to the last of them only."""
    words = before.split()
    word = words[-1].lstrip("\"'“‘«([*_") if words else ""
    short = word.lower()
    if len(words) == 1 and word.isdigit():  # "1. The fox": a number in a list
        return True
    if short in _TITLES:
        return True
    if short in _NUMBERED and (next_word[:1].isdigit() or lower):
        return next_word[:1].isdigit()
    if short in _OPEN or _DOTTED.fullmatch(short):
        if short in ("a.m", "p.m"):
            return lower
        if word == "I" and not (len(words) > 1 and re.fullmatch(r"[A-Z]\.", words[-2])):
            return False
        return (
            lower or next_word.lower() not in _STARTERS or (len(word) == 1 and len(next_word) == 1 and next_word != "I")
        )
    return False


def _short(sentence: str) -> list[str]:
    """A sentence, cut where it hurts least until no part is too long to say in one breath."""
    if seconds_of(sentence) <= LONGEST:
        return [sentence]
    middle = len(sentence) / 2
    for pattern in _CUTS:
        places = [match for match in re.finditer(pattern, sentence) if middle * 0.4 < match.start() < middle * 1.6]
        if places:
            best = min(places, key=lambda match: abs(match.start() - middle))
            dash = best.end() if best[0].strip() else best.start()  # a dash stays with what it follows
            return _short(sentence[:dash].rstrip()) + _short(sentence[best.end() :])
    return _short(sentence[: int(middle)]) + _short(sentence[int(middle) :])
