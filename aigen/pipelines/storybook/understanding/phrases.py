"""The phrases of a prompt: cut into words, and each the longest phrase that the vocabulary knows, with its meaning."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.understanding import vocabulary
from aigen.pipelines.storybook.understanding.vocabulary import synonyms, tables

PHRASE_LIMIT = 5
SEPARATORS = frozenset('.,;:!?()"“”„«»')
_WORDS = re.compile(r"[^\W_][\w\u0300-\u036f\u0900-\u0dff]*(?:['’-][^\W_]+)*|[&.,;:!?()\"“”„«»]", re.UNICODE)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_SHORT = re.compile(r"(^|[^aeiou])[aeiou][^aeiouwxy]$")  # a stem that would double its last letter before -ing


def cut(text: str) -> list[str]:
    """The words and separators of a text, in small letters."""
    return _WORDS.findall(_THOUSANDS.sub("", text.lower().replace("’", "'")))


@dataclass(frozen=True)
class Token:
    """A phrase and its meaning: `kind` is what sort of, `value` which."""

    kind: str
    value: Any
    text: str
    plural: bool = False


def means_something(word: str) -> bool:
    return (
        word in tables.STOP_WORDS
        or word in vocabulary.modifiers()
        or word in vocabulary.scenery()
        or word in vocabulary.relations()
        or word in vocabulary.known()
        or any(single in vocabulary.things() for single, _ in _singulars(word))
        or _verb(word) is not None
    )


def tokens(words: list[str]) -> Iterator[Token]:
    """The phrases of a prompt, the longest first, with their meanings."""
    at = 0
    while at < len(words):
        token, length = _token(words, at)
        yield token
        at += length


def _token(words: list[str], at: int) -> tuple[Token, int]:
    if words[at] in SEPARATORS:
        return Token("separator", None, words[at]), 1
    for length in range(min(PHRASE_LIMIT, len(words) - at), 0, -1):
        part = words[at : at + length]
        if SEPARATORS & set(part):
            continue
        phrase = " ".join(part)
        if phrase in vocabulary.symbols() and (length > 1 or not _thing_at(words, at + 1)):
            return Token("symbol", vocabulary.symbols()[phrase], phrase), length
        if phrase in tables.NEGATIONS:
            return Token("negation", None, phrase), length
        if phrase in vocabulary.relations() and not (phrase == "in" and _scenery_at(words, at + 1)):
            return Token("relation", vocabulary.relations()[phrase], phrase), length
        if found := _noun_or_scene(words, at, phrase, length):
            return found, length
        if phrase in vocabulary.modifiers() and _is_modifier(words, at, length):
            name, value = vocabulary.modifiers()[phrase]
            return Token(name, value, phrase), length
    return _single(words, at), 1


def _noun_or_scene(words: list[str], at: int, phrase: str, length: int) -> Token | None:
    before = words[at - 1] if at else ""
    counted = before.isdecimal() or (before in tables.NUMBERS and before not in ("a", "an", "some")) or before == "of"
    meaning = vocabulary.scenery().get(phrase)
    if meaning and not (counted and _thing(phrase)):
        return Token("scene", meaning, phrase)
    if length == 1 and {phrase, phrase.removesuffix("s")} & tables.MEASURES and words[at + 1 : at + 2] == ["of"]:
        return Token("measure", None, phrase)  # "a slice of": the number before it counts what follows
    if length == 1 and (phrase in tables.STOP_WORDS or phrase in tables.NUMBERS):
        return None
    if length == 1 and phrase.endswith("s") and _verb(phrase) and at and _is_single_being(words[at - 1]):
        return None  # "a cat watches"
    if found := _thing(phrase):
        name, plural = found
        own = phrase in synonyms.SYNONYMS or name == phrase.replace(" ", "-")
        if (
            length > 1
            and not own
            and words[at] in vocabulary.modifiers()
            and _thing(" ".join(words[at + 1 : at + length]))
        ):
            return None  # a small boat is a boat that is small
        if length == 1 and phrase in tables.COLOURS_OR_THINGS and _is_modifier(words, at, 1):
            return None
        if length == 1 and phrase in vocabulary.modifiers() and phrase not in tables.COLOURS_OR_THINGS:
            return None
        if (
            length == 1
            and phrase not in synonyms.SYNONYMS
            and phrase in vocabulary.known()
            and _thing_at(words, at + 1)
        ):
            return None  # an adjective here
        return Token("thing", name, phrase, plural)
    return None


def _is_single_being(word: str) -> bool:
    found = _thing(word) if word not in tables.STOP_WORDS else None
    return found is not None and not found[1] and is_being(found[0])


def _single(words: list[str], at: int) -> Token:
    """A word that begins no phrase of the vocabulary."""
    word = words[at]
    if word.isdecimal():
        return Token("count", max(1, int(word[:3])), word)
    if word == "with":
        return Token("with", None, word)
    if word in ("and", "or", "&", "plus"):
        return Token("and", None, word)
    if word in ("the", "its", "his", "her", "their", "this", "that"):
        return Token("the", None, word)
    if word in tables.STOP_WORDS or word in tables.MEASURES or len(word) == 1 or word.endswith("'s"):
        return Token("skip", None, word)
    if (verb := _verb(word)) and (verb != word or _may_be_verb(words, at)):
        return Token("verb", verb, word) if verb not in tables.NO_ACTIONS else Token("holding", None, word)
    if word in vocabulary.known() or word.endswith("ly") or word.endswith("ed"):
        return Token("skip", None, word)
    return Token("unknown", None, word)


def _may_be_verb(words: list[str], at: int) -> bool:
    """Whether a word that may be a noun too stands where a verb does: behind several, or behind "to"."""
    if at == 0:
        return True
    before = words[at - 1]
    return before in tables.BEFORE_VERBS or (before.endswith("s") and "'" not in before)


def _verb(word: str) -> str | None:
    """The verb of which this is the -ing form, the third person or the plain form."""
    verbs = vocabulary.verbs()
    if word.endswith("ing") and len(word) > 4:
        stem = word[:-3]
        if stem[-1] == stem[-2] and stem[:-1] in verbs and stem not in verbs:
            return stem[:-1]  # running
        if stem + "e" in verbs and (stem not in verbs or _SHORT.search(stem)):
            return stem + "e"  # riding
        return stem if stem in verbs else None
    for ending, instead in (("ies", "y"), ("es", ""), ("s", ""), ("", "")):
        if ending and not word.endswith(ending):
            continue
        choice = (word.removesuffix(ending) if ending else word) + instead
        if choice in verbs and len(choice) > 1:
            return choice
    return None


@lru_cache(maxsize=4096)
def _thing(phrase: str) -> tuple[str, bool] | None:
    """The picture that a phrase names, and whether the phrase is a plural."""
    things = vocabulary.things()
    if phrase in synonyms.SYNONYMS or phrase.replace(" ", "-") in artwork.index():
        return (things[phrase], False) if phrase in things else None
    for candidate, plural in sorted(_singulars(phrase), key=lambda entry: not entry[1]):
        if candidate in things and not candidate.isdecimal():
            return things[candidate], plural
    return None


def _thing_at(words: list[str], at: int) -> bool:
    """Whether a thing is named here, perhaps by several words."""
    if at >= len(words) or words[at] in SEPARATORS:
        return False
    return any(
        _thing(" ".join(words[at : at + length])) is not None and words[at] not in tables.STOP_WORDS
        for length in range(min(3, len(words) - at), 0, -1)
    )


def _scenery_at(words: list[str], at: int) -> bool:
    """Whether a part of the scene is named here, perhaps behind an article."""
    while at < len(words) and words[at] in ("the", "a", "an"):
        at += 1
    if at >= len(words):
        return False
    return any(
        " ".join(words[at : at + length]) in vocabulary.scenery() for length in range(min(4, len(words) - at), 0, -1)
    )


def _is_modifier(words: list[str], at: int, length: int) -> bool:
    """Whether a colour, size or number belongs to a noun; a word that is a thing too does only before another noun."""
    if words[at] not in tables.COLOURS_OR_THINGS or length > 1:
        return True
    ahead = at + 1
    while (
        ahead < len(words)
        and words[ahead] not in tables.STOP_WORDS
        and words[ahead] not in vocabulary.scenery()
        and not _thing_at(words, ahead)
    ):
        if words[ahead] not in vocabulary.modifiers() and words[ahead] not in vocabulary.known():
            return False
        ahead += 1
    return _thing_at(words, ahead) or " ".join(words[ahead : ahead + 1]) in vocabulary.scenery()


def _singulars(phrase: str) -> list[tuple[str, bool]]:
    """The phrase itself and what it may be the plural of."""
    found = [(phrase, False)]
    irregular = tables.IRREGULAR.get(phrase.rsplit(" ", 1)[-1])
    if irregular:
        found.append((" ".join([*phrase.split(" ")[:-1], irregular]), True))
    for ending, instead in (("ies", "y"), ("ves", "f"), ("ves", "fe"), ("oes", "o"), ("es", ""), ("s", "")):
        if phrase.endswith(ending) and len(phrase) > len(ending) + 2 and not phrase.endswith("ss"):
            found.append((phrase.removesuffix(ending) + instead, True))
    return found if not irregular else found[1:] + found[:1]


def is_being(name: str) -> bool:
    """Whether a picture shows somebody, who is not a mere description of the next noun ("robot gardener")."""
    entry = artwork.index()[name]
    return entry["group"] == "people-body" or entry["subgroup"] in ("face-costume", "animal-mammal", "animal-bird")
