"""The markup of other programs in a prompt: weights, choices, options, names of files.

People paste prompts from elsewhere. Markup never changes what is counted or coloured, and no word vanishes silently:
what it means is kept as data, and what means nothing here is named.
"""

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

# What a round, square or curly bracket without a number does to the weight of what is in it.
_STRONGER, _WEAKER, _SLIGHTLY = 1.1, 1 / 1.1, 1.05
# Whether a prompt has any markup: what has none stays as it is, letter by letter.
_ANY = re.compile(
    r"[()\[\]{}<]|::|(?:^|\s)(?:--|—)[A-Za-z]|embedding:|\bBREAK\b|negative prompt:|__\w|^\s*Steps: ?\d", re.I | re.M
)
_NEGATIVE = re.compile(r"\s*\bnegative prompt:", re.IGNORECASE)
_SETTINGS = re.compile(r"(?:^|\s)Steps: ?\d+, *[A-Z][\w \-/]{0,60}: [^\n]*")
_FILE = re.compile(r"<[A-Za-z_]+:[^<>]*>|\bembedding:[^\s,()]+")
_BREAK = re.compile(r"\b(?:BREAK|ADDROW|ADDCOL|ADDBASE|ADDCOMM)\b")
_WILDCARD = re.compile(r"__([\w./* -]+?)__")
# Options of Midjourney: those that take no value, and those whose value is a name; phones make a dash of two.
_DASHES = r"(?:--|—(?=(?:ar|aspect|v|s|c|q|niji|style|seed|stylize|chaos|quality)\b))"
_NAMED = {"style", "sref", "cref", "p", "profile"}
_FLAGS = {"tile", "raw", "turbo", "fast", "relax", "hd", "video", "test", "upbeta", "uplight", "creative", "draft"}
_OPTION = re.compile(rf"(?:(?<=\s)|^){_DASHES}([A-Za-z]+)(?:[ =]+(?!--|—)([^\s,]+))?")
_NO = re.compile(rf"(?:(?<=\s)|^){_DASHES}no\s+((?:(?!\s{_DASHES}).)+)", re.DOTALL)
# How likely an option of a choice is.
_LIKELIHOOD = re.compile(r"(?<=[{|$])\s*\d*\.?\d+::")
_SEPARATOR = re.compile(r"::\s*(-?\d+(?:\.\d+)?)?")
_ROUND = re.compile(r"\(([^()\[\]{}]*)\)(\+{1,6}|-{1,6}|\d?\.\d+)?")
_SQUARE, _CURLY = re.compile(r"\[([^()\[\]{}]*)\]"), re.compile(r"\{([^()\[\]{}]*)\}")
# Behind a number stands a weight only with a point: `9:30` and `1:50` are none.
_WEIGHT = re.compile(r"(.*[^\d\s:])\s*:\s*(-?\d?\.\d+|-?\d)\s*|(.*\d)\s*:\s*(-?\d?\.\d+)\s*", re.DOTALL)
# Of NovelAI: a number, the part that it weighs, and where that ends.
_NUMBERED = re.compile(r"(?<![\w.:])(-?\d+(?:\.\d+)?)::([^:]+)::")
_CHANGE = re.compile(r"([^:]*):([^:]*):\s*\d*\.?\d+\s*", re.DOTALL)
# Stand for the begin, the bar and the end of a choice, and for brackets that are meant as such.
_BEGIN, _BAR, _END = "\ue000", "\ue001", "\ue002"
_BRACKETS, _MEANT = "()[]{}", "\ue003\ue004\ue005\ue006\ue007\ue008"
_KEPT_ROUND, _KEPT_SQUARE = "\ue003", "\ue006"
_KEEP, _SHOW = str.maketrans(_BRACKETS, _MEANT), str.maketrans(_MEANT, _BRACKETS)
_ESCAPED = re.compile(r"\\([()\[\]{}])")
_CHOICE = re.compile(f"{_BEGIN}([^{_BEGIN}{_END}]*){_END}")


@dataclass(frozen=True)
class Prompt:
    """A prompt without markup; `choose` settles what it leaves open.

    `negative` are the words of what it is not to show, `weights` the parts that count more (above 1) or less, and
    `ignored` what was left out, or means nothing without a model that heeds it.
    """

    text: str
    negative: str = ""
    weights: tuple[tuple[str, float], ...] = ()
    ignored: tuple[str, ...] = ()

    def choose(self, seed: int) -> str:
        """Return the prompt of one item: of each choice in it, the one that its seed has."""
        chance, text = random.Random(f"{seed}"), self.text
        while match := _CHOICE.search(text):
            text = text[: match.start()] + chance.choice(match[1].split(_BAR)).strip() + text[match.end() :]
        return _tidy(text) if text != self.text else text


def read_markup(prompt: str) -> Prompt:
    """Return a prompt without the markup of other programs."""
    if not _ANY.search(prompt) or _is_json(prompt):
        return Prompt(prompt)
    reader = _Reader()
    text = reader.read(re.sub("[\ue000-\ue008]", "", prompt))
    weights = tuple((part.translate(_SHOW), round(weight, 3)) for part, weight in reader.weights.items())
    explicit = [f"the weight of “{part}”" for part, weight in weights if weight not in (1.1, 1.05, 0.909)]
    negative = ", ".join(filter(None, reader.negative)).translate(_SHOW)
    return Prompt(text, negative, weights, tuple(dict.fromkeys([*explicit, *reader.ignored])))


def _is_json(prompt: str) -> bool:
    """Return whether a prompt is JSON, as some models take it."""
    try:
        return isinstance(json.loads(prompt), dict | list)
    except (ValueError, RecursionError):
        return False


class _Reader:
    """Takes the markup out of one prompt, and keeps what it said."""

    def __init__(self) -> None:
        self.weights: dict[str, float] = {}
        self.negative: list[str] = []
        self.ignored: list[str] = []

    def read(self, prompt: str) -> str:
        text = _ESCAPED.sub(lambda match: match[1].translate(_KEEP), prompt)
        text, *negative = _NEGATIVE.split(text, maxsplit=1)
        text = self._leave_out(_SETTINGS, text)
        for words in negative:
            reader = _Reader()  # whose weights are of what is not to be shown
            self.negative += [reader.read(words), *reader.negative]
            self.ignored += reader.ignored
        text = _NO.sub(self._refuse, text)
        text = _OPTION.sub(self._drop_option, text)
        text = self._leave_out(_FILE, text)
        text = self._leave_out(_BREAK, text) if not prompt.isupper() else text
        text = _WILDCARD.sub(self._name_wildcard, text)
        text = _NUMBERED.sub(self._number, _LIKELIHOOD.sub("", text))
        text = self._separate(text)
        text = self._bare(text)
        return _tidy(text).translate(_SHOW)

    def _leave_out(self, pattern: re.Pattern[str], text: str) -> str:
        self.ignored += [" ".join(match[0].split()) for match in pattern.finditer(text)]
        return pattern.sub(" ", text)

    def _refuse(self, match: re.Match[str]) -> str:
        self.negative.append(_tidy(match[1]))
        return " "

    def _drop_option(self, match: re.Match[str]) -> str:
        """Leave an option out; what does not look like its value is a word of the prompt."""
        name, value = match[1].lower(), match[2] or ""
        has_value = name in _NAMED or (name not in _FLAGS and bool(re.search(r"\d", value)))
        self.ignored.append(f"--{match[1]}{f' {value}' if value and has_value else ''}")
        return " " if has_value or not value else f" {value}"

    def _name_wildcard(self, match: re.Match[str]) -> str:
        self.ignored.append(match[0])
        return " " + re.sub(r"[\W_]+", " ", match[1].split("/")[-1]) + " "

    def _separate(self, text: str) -> str:
        """Return a prompt in parts, each with a weight of its own; one below 0 is not to be shown."""
        parts, at = [], 0
        for match in _SEPARATOR.finditer(text):
            part = text[at : match.start()]
            last = re.split(r"[,|]", part)[-1]
            weight = float(match[1] or 1)
            if weight < 0:
                self.negative.append(last.strip())
                part = part[: len(part) - len(last)]
            elif weight != 1 and last.strip():
                self.weights[last.strip()] = weight
            parts.append(f"{part}, ")
            at = match.end()
        return "".join(parts) + text[at:]

    def _number(self, match: re.Match[str]) -> str:
        """Return a part that has its weight before it."""
        if float(match[1]) < 0:
            self.negative.append(match[2].strip())
            return " "
        return self._weigh(match[2], float(match[1]))

    def _bare(self, text: str) -> str:
        """Return a text without brackets, the innermost first; a bracket without its other half stays."""
        replacements: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
            (_ROUND, self._round), (_SQUARE, self._square), (_CURLY, self._curly),
        )  # fmt: skip
        before = None
        while before != text:
            before = text
            for pattern, replace in replacements:
                text = pattern.sub(lambda match, replace=replace: _unless_within(match, replace), text)  # type: ignore[misc]
        return text

    def _weigh(self, text: str, weight: float) -> str:
        part = " ".join(_CHOICE.sub(lambda match: match[1].replace(_BAR, " or "), text).split())
        if part:
            self.weights[part] = self.weights.get(part, 1.0) * weight
        return text

    def _round(self, match: re.Match[str]) -> str:
        content, behind = match[1], match[2] or ""
        if weighed := _WEIGHT.fullmatch(content):
            part, weight = weighed[1] or weighed[3], float(weighed[2] or weighed[4])
            if weight < 0:
                self.negative.append(part.strip())
                return behind
            return self._weigh(part, weight) + behind
        if behind[:1] in ("+", "-"):
            return self._weigh(content, (_STRONGER if behind[0] == "+" else _WEAKER) ** len(behind))
        return self._weigh(content, float(behind) if behind else _STRONGER)

    def _square(self, match: re.Match[str]) -> str:
        content = match[1]
        if "|" in content:
            return self._offer(content)
        changed = _CHANGE.fullmatch(content)
        if changed and re.search(r"[^\W\d]", content):  # from one to the other while it is made
            self.ignored.append(match[0])
            return changed[2] if changed[2].strip() else changed[1]
        if weighed := _WEIGHT.fullmatch(content):
            return weighed[1] or weighed[3]
        return self._weigh(content, _WEAKER)

    def _curly(self, match: re.Match[str]) -> str:
        return self._offer(match[1]) if "|" in match[1] else self._weigh(match[1], _SLIGHTLY)

    @staticmethod
    def _offer(content: str) -> str:
        """Return a choice; how many are to be chosen is left out."""
        content = re.sub(r"^\s*[\d-]+\$\$(?:[^$|]*\$\$)?", "", content)
        return f"{_BEGIN}{_BAR.join(option.strip() for option in content.split('|'))}{_END}"


def _unless_within(match: re.Match[str], replace: Callable[[re.Match[str]], str]) -> str:
    """Return what stands for a bracket; one that touches a word, as in `f(x)`, is no markup."""
    before, behind = match.string[: match.start()][-1:], match.string[match.end() :][:1]
    is_link = (match[0][0] == "[" and behind in ("(", _KEPT_ROUND)) or (
        match[0][0] == "(" and before in ("]", _KEPT_SQUARE)
    )
    if is_link or before.isalnum() or before in ("^", "_") or behind.isalnum():
        return match[0].translate(_KEEP)
    return f"{' ' if before in (')', ']', '}') else ''}{replace(match)}"


def _tidy(text: str) -> str:
    """Return a text without the gaps and doubled commas that markup leaves."""
    text = re.sub(r"[ \t]+", " ", text)
    text = re.sub(r" ?,(?:[ ,]*,)*", ",", text)
    text = re.sub(r" *\n *", "\n", text)
    return text.strip(" ,\n")
