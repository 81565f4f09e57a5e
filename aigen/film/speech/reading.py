"""How a text is read aloud: what voices get wrong by themselves, written out.

Voices read plain numbers, years, times, money, percentages, titles and most units well by themselves; those stay.
"""

import html
import re
import unicodedata
from collections.abc import Callable

_Replacement = str | Callable[[re.Match[str]], str]

# Before a number these would end a sentence for a voice.
_BEFORE_NUMBERS = {
    "no": "number", "nos": "numbers", "fig": "figure", "p": "page", "pp": "pages", "vol": "volume", "ch": "chapter",
    "ca": "about", "c": "about", "approx": "about", "art": "article", "sec": "section", "est": "established",
    "jan": "January", "feb": "February", "mar": "March", "apr": "April", "jun": "June", "jul": "July", "aug": "August",
    "sep": "September", "sept": "September", "oct": "October", "nov": "November", "dec": "December",
}  # fmt: skip
_UNITS = {"m": "meter", "g": "gram", "l": "liter", "L": "liter", "h": "hour", "s": "second"}
_MONEY = {"€": "€", "$": "$", "£": "£", "EUR": "€", "USD": "$", "GBP": "£"}
_COMPARED = {"~": "about", "≈": "about", "<": "less than", ">": "more than", "≤": "at most", "≥": "at least"}
_FORMULAS = {"CO2": "C O 2", "H2O": "H 2 O"}
_DOMAINS = "com|org|net|edu|gov|info|io|ai|dev|app|eu|uk|de|fr|es|it|nl|ch|at"
_HOST = rf"(?:[\w-]{{1,63}}\.){{1,6}}(?:{_DOMAINS})"
# Signs that are read, of the kinds that are dropped.
_READ_SIGNS = "°©"


def _dotted(match: re.Match[str]) -> str:
    host = match["host"].removeprefix("www.").replace(".", " dot ")
    return f"{match['user'].replace('.', ' dot ')} at {host}" if match["user"] else host


def _measured(match: re.Match[str]) -> str:
    unit = ("square " if match["square"] else "") + _UNITS[match["unit"]]
    return f"{match['number']} {unit}{'' if match['number'] == '1' else 's'}"


def _expanded(match: re.Match[str]) -> str:
    word = _BEFORE_NUMBERS[match[1].lower()]
    return (word.capitalize() if match[1][0].isupper() else word) + " "


def _greek(match: re.Match[str]) -> str:
    return unicodedata.name(match[0]).split()[-1].lower().replace("lamda", "lambda")


_MARKUP: list[tuple[str, _Replacement]] = [
    (r"</?[A-Za-z][^<>]*>", " "),
    (r"!?\[([^\[\]]*)\]\([^()]*\)", r"\1"),
    (r"(?m)^[ \t]*(?:#{1,6}|[-*•>])\s+", ""),
    (r"(?<!\w)(\*{1,3}|_{1,3}|~~|`+)(?=\S)(.{1,200}?)(?<=\S)\1(?!\w)", r"\2"),
]
_READINGS: list[tuple[str, _Replacement]] = [
    (rf"(?P<user>)\bhttps?://(?P<host>{_HOST}|[^\s/?#:]+)(?:[:/?#][^\s<>\"”]*[^\s<>\"”.,;:!?)\]])?/?", _dotted),
    (
        rf"(?:\b(?P<user>[\w+-]{{1,64}}(?:\.[\w+-]{{1,64}}){{0,4}})@)?\b(?P<host>{_HOST})\b(?:/[\w%./~-]*[\w/])?",
        _dotted,
    ),
    (r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}\b)", ","),
    (r"\b(\d{1,3})((?: \d{3}){2,})\b(?!,)", lambda match: match[1] + match[2].replace(" ", ",")),
    (r"\b(\d{1,3}) 000\b", r"\1,000"),
    (r"\b(\d{1,3})((?:\.\d{3}){2,})\b", lambda match: match[1] + match[2].replace(".", ",")),
    (r"(?<=\d),(?=\d)(?!\d{3}(?!\d))", ", "),
    (rf"\b({'|'.join(_BEFORE_NUMBERS)})\. ?(?=\d)", _expanded),
    (r"(?<![\w)\].,])[-−](?=\d)", "minus "),
    (r"(?<!\S)–(?=\d)", "minus "),
    (r"([~≈<>≤≥]) ?(?=[\d$€£])", lambda match: f"{_COMPARED[match[1]]} "),
    (r"(?<![\w$€£])(\d[\d,.]*) ?([€$£](?!\d)|EUR\b|USD\b|GBP\b)", lambda match: _MONEY[match[2]] + match[1]),
    (r"(?<![\w$€£.,])(?P<number>\d[\d,.]*) ?(?P<unit>[mglLh]|(?<= )s)(?P<square>[²2]?)(?![\w'’/])", _measured),
    (r"(?<![\w$€£.,])(\d[\d,.]*) ?km[²2]\b", r"\1 square kilometers"),
    (r"\b(\d+)k\b(?![\w'])", r"\1 thousand"),
    (r"\b(24/7|50/50)\b", lambda match: match[1].replace("/", " ")),
    (r"\b([CF])#", r"\1 sharp"),
    (rf"\b({'|'.join(_FORMULAS)})\b", lambda match: _FORMULAS[match[1]]),
    (r"(?<!\w)[Α-Ωα-ω](?!\w)", _greek),
]
_RULES = [(re.compile(pattern, re.IGNORECASE if "|jan|" in pattern else 0), how) for pattern, how in _READINGS]
_MARKS = [(re.compile(pattern), how) for pattern, how in _MARKUP]

# Seconds, fitted to hibari: see tests/test_speech.py for what is expected of them.
_PER_SENTENCE, _PER_LETTER, _PER_DIGIT, _PER_COMMA = 0.13, 0.063, 0.37, 0.14


def spoken(text: str) -> str:
    """The text as a voice should read it: signs and abbreviations in words,
    without markup, long addresses and emoji.
    """
    text = html.unescape(unicodedata.normalize("NFC", text))
    for pattern, how in _MARKS:
        text = pattern.sub(how, text)
    for sub, digit in zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True):
        text = text.replace(sub, digit)
    for pattern, how in _RULES:
        text = pattern.sub(how, text)
    return " ".join("".join(map(_heard, text)).split())


def _heard(letter: str) -> str:
    if letter.isspace() or (
        unicodedata.category(letter) in ("So", "Sk", "Cs", "Co", "Cn", "Cc", "Me") and letter not in _READ_SIGNS
    ):
        return " "
    return "" if unicodedata.category(letter) == "Cf" or "\ufe00" <= letter <= "\ufe0f" else letter


def script_of(letter: str) -> str | None:
    """The script of a letter that is not Latin, in a word: Cyrillic, Devanagari, CJK."""
    if letter < "\u0250" or "\u1e00" <= letter <= "\u1eff" or not letter.isalpha():
        return None
    script = unicodedata.name(letter, "unknown").split()[0]
    if script in ("LATIN", "MODIFIER", "FEMININE", "MASCULINE", "FULLWIDTH", "MATHEMATICAL"):
        return None
    names = {
        "CJK": "Chinese or Japanese",
        "HIRAGANA": "Japanese",
        "KATAKANA": "Japanese",
        "HANGUL": "Korean",
        "DEVANAGARI": "Hindi",
    }
    return names.get(script, script.capitalize())


def says_something(text: str) -> bool:
    """Whether there is a word or a number in it."""
    return any(letter.isalnum() for letter in spoken(text))


def seconds_of(text: str) -> float:
    """About how long a text takes to speak, without the pauses between its sentences."""
    read = spoken(text)
    letters = sum(letter.isalpha() for letter in read)
    digits = sum(letter.isdigit() for letter in read)
    if not letters + digits:
        return 0.0
    ends = max(1, len(re.findall(r"[.!?…]+[\"'”’)\]]*(?:\s|$)", read)))
    commas = len(re.findall(r"[,;:—](?=\s)|\s[–-]\s|—", read))
    return _PER_SENTENCE * ends + _PER_LETTER * letters + _PER_DIGIT * digits + _PER_COMMA * commas
