"""A text becomes a film: its sentences are grouped into scenes, each with what its picture shall show.

This is planning only: `speech` says the sentences, a model of pictures (or the built-in illustrator, which moves) makes
the scenes, `writing` puts them together; the pipeline `narrator` has it all done in that order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aigen.errors import UsageError
from aigen.film import speech
from aigen.film.burning import check_captions
from aigen.types.request import SCRIPT_LIMIT, Narration

# Seconds that a scene lasts at least and at most, as far as its sentences allow.
SCENE_LEAST, SCENE_MOST = 4.0, 12.0
# So many scenes where the text has as many sentences.
SCENES_LEAST = 3
PROMPT_LENGTH = 300


@dataclass(frozen=True)
class Sentence:
    """What is said at a go, and the seconds of silence after it."""

    text: str
    pause: float


@dataclass(frozen=True)
class Scene:
    """Sentences that are said while one picture is seen. `number` counts from 1."""

    number: int
    sentences: tuple[Sentence, ...]
    prompt: str
    style: str


def plan(narration: Narration, film: int = 1) -> list[Scene]:
    """The scenes of an order's n-th film, in its styles in turn, of which each film begins with another.

    The same text gives the same scenes.
    """
    sentences = split(narration.script)
    groups = group([_seconds(sentence) for sentence in sentences], narration.scenes)
    texts = [[sentences[place] for place in each] for each in groups]
    prompts = describe([" ".join(sentence.text for sentence in each) for each in texts])
    return [
        Scene(number, tuple(each), prompt, narration.styles[(number + film - 2) % len(narration.styles)])
        for number, (each, prompt) in enumerate(zip(texts, prompts, strict=True), 1)
    ]


def check_narration(narration: Narration) -> None:
    """Raise UsageError for a text that cannot be spoken, or a voice that is not here."""
    speech.voice(narration.voice)
    speech.check(narration.script, narration.voice)
    if narration.captions == "burned":
        check_captions(narration.script)


def read(text: bytes, name: str) -> str:
    """A script as it was read from a file. Raises UsageError when it is no text."""
    try:
        script = text.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"script {name} is no text in UTF-8: save it as one") from None
    if "\0" in script:
        raise UsageError(f"script {name} is no text: it has zero bytes in it")
    if not script.strip():
        raise UsageError(f"script {name} is empty: write what shall be said")
    if len(script) > SCRIPT_LIMIT:
        raise UsageError(f"script {name} has {len(script)} characters: the limit is {SCRIPT_LIMIT}")
    return script


def split(script: str) -> list[Sentence]:
    """The sentences of a script, with the pauses after them; a longer one where a paragraph ends."""
    return [
        Sentence(text, speech.pause_after(text, place == len(paragraph)))
        for paragraph in speech.paragraphs(script)
        for place, text in enumerate(paragraph, 1)
    ]


def group(seconds: Sequence[float], wanted: int | None = None) -> list[list[int]]:
    """The places of sentences that take so many seconds, grouped into scenes: so many, or as suits their length.

    Each sentence is in one scene, in order; no scene is empty.
    """
    count = min(wanted, len(seconds)) if wanted else _count(seconds)
    share = sum(seconds) / count
    groups: list[list[int]] = [[]]
    gone = 0.0
    for place, each in enumerate(seconds):
        left = len(seconds) - place
        missing = count - len(groups)
        # A new scene where the middle of the sentence lies past the end
        # of this one's share; never too few sentences left.
        if groups[-1] and missing and (gone + each / 2 > share * len(groups) or left <= missing):
            groups.append([])
        groups[-1].append(place)
        gone += each
    return groups


def _count(seconds: Sequence[float]) -> int:
    """How many scenes suit sentences of these lengths."""
    total = sum(seconds)
    usual = round(total / ((SCENE_LEAST + SCENE_MOST) / 2))
    least = min(SCENES_LEAST, int(total / (SCENE_LEAST / 2)))
    return max(1, min(len(seconds), max(usual, least)))


def _seconds(sentence: Sentence) -> float:
    return speech.seconds_of(sentence.text) + sentence.pause


def describe(texts: Iterable[str]) -> list[str]:
    """What the picture of each scene shall show: its own words;
    where these name nothing, with those of the last that did.
    """
    from aigen.pipelines.storybook.understanding.plan import make_plan

    prompts, known = [], ""
    for text in texts:
        words = text[:PROMPT_LENGTH].rsplit(" ", 1)[0] if len(text) > PROMPT_LENGTH else text
        if make_plan(words).objects:
            known = words
            prompts.append(words)
        else:
            prompts.append(f"{words} {known}".strip()[: 2 * PROMPT_LENGTH])
    return prompts
