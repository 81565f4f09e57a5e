"""`narrator`: the pipeline of narrated films. A voice reads a text over pictures, which others make.

For each film it goes through four steps, each of which keeps what it made, so that a crash costs only the one it came
in: the text is planned into scenes (`script`), its sentences are spoken (`speech`), every scene gets its picture
(`Run.images`) or is drawn in motion by the built-in illustrator, and all of it is put together (`film`).
"""

import hashlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aigen import film
from aigen.errors import UsageError
from aigen.film import Line, Shot, script, speech
from aigen.film.script import Scene
from aigen.pipelines import MovingScene, moving_scenes
from aigen.settings import NO_SETTINGS, Settings
from aigen.types.pipeline import Abilities, Failure, ImageSpec, Output, Picture, Run, Task
from aigen.types.request import Length, Narration, Size

# How much of the work on a film the voice is, and the pictures where a model makes them.
_SPEECH, _PICTURES = 0.1, 0.6
# Seconds before the first word and after the last.
_LEAD, _TAIL = 0.5, 1.2
# Pictures of a film have seeds of their own: far from those of other films of the order.
_SEED_STEP = 7919
_PHOTOGRAPH = "photorealistic"
# Of a longer script a file does not say it.
_SAID = 10_000


class Narrator:
    abilities = Abilities(
        label="narrated film: a synthetic voice over pictures",
        kinds=("video",),
        length=Length(100, 25),
        starts_from="picture",
    )

    def __init__(self, settings: Settings = NO_SETTINGS) -> None:
        """It needs none of them."""

    def check(self, task: Task) -> None:
        script.check_narration(_narration(task))

    def price(self, task: Task) -> float | None:
        """A picture for each scene, unless they are drawn in motion."""
        if moving_scenes(task.image_model) or not task.image_price:
            return task.image_price
        told = _narration(task)
        return task.image_price * sum(len(script.plan(told, number)) for number in task.numbers)

    def generate(self, task: Task, run: Run) -> Generator[Output | Failure, None, None]:
        told = _narration(task)
        if moving_scenes(task.image_model) and _PHOTOGRAPH in told.styles and not task.from_picture:
            run.say(f"{task.image_model} takes no photographs: scenes in the style {_PHOTOGRAPH} are drawn plain")
        for number, seed in zip(task.numbers, task.seeds, strict=True):
            yield _make(task, script.plan(told, number), number, seed, run)


def _narration(task: Task) -> Narration:
    if task.narration is None:
        raise UsageError("narrator needs words to say: aigen narrate TEXT, or aigen generate … --narrate")
    return task.narration


@dataclass(frozen=True)
class _Timed:
    """A scene with its spoken lines, and when it begins."""

    scene: Scene
    begin: float
    lines: tuple[Line, ...]


def _make(task: Task, scenes: Sequence[Scene], number: int, seed: int, run: Run) -> Output | Failure:
    told = _narration(task)
    timed, seconds = _speak(task, scenes, run)
    before = _SPEECH
    pictures: Sequence[Picture | Failure] = ()
    drawn = moving_scenes(task.image_model)
    if task.from_picture:
        pictures = run.pictures([seed] * len(scenes), None)
    elif drawn is None:
        pictures = run.images(seed, [_image_spec(task, scene, number, seed) for scene in scenes], before, _PICTURES)
        before += _PICTURES
    painted = [each for each in pictures if isinstance(each, Picture)]
    for each in pictures:
        if isinstance(each, Failure):
            return each
    frames = (
        [film.still(picture.path, place + number - 1, seed) for place, picture in enumerate(painted, 1)]
        if painted or drawn is None
        else [film.painted(_drawn(drawn, scene, number, seed)) for scene in scenes]
    )
    music = task.work / f"music{told.music}" if told.music else None
    made = film.Film(
        size=task.size,
        fps=task.fps,
        seconds=seconds,
        shots=[Shot(each.begin, frames) for each, frames in zip(timed, frames, strict=True)],
        lines=[line for each in timed for line in each.lines],
        music=music,
        captions=told.captions,
        transition=told.transition,
    )
    path = task.work / f"video-{number}.mp4"

    def step(frame: int, count: int) -> None:
        share = before + (1 - before) * frame / count
        run.step(int(1000 * share), 1000, f"film: frame {frame} of {count}")

    film.make(made, path, step)
    beside: tuple[Path, ...] = ()
    if told.captions != "off":
        film.write_captions(made.lines, path.with_suffix(""))
        beside = (path.with_suffix(".srt"), path.with_suffix(".vtt"))
    return Output(path, seed, _parameters(task, made.seconds, painted), _source_type(task, painted), beside)


def _speak(task: Task, scenes: Sequence[Scene], run: Run) -> tuple[list[_Timed], float]:
    """Every sentence as a sound file, with when it is said; and when all is over. What is spoken already stays."""
    told = _narration(task)
    voice = speech.voice(told.voice)
    folder = task.work / "speech"
    folder.mkdir(exist_ok=True)
    count = sum(len(scene.sentences) for scene in scenes)
    timed: list[_Timed] = []
    now, done = _LEAD, 0
    for scene in scenes:
        begin = now if timed else 0.0
        lines: list[Line] = []
        for sentence in scene.sentences:
            run.check()
            run.step(int(1000 * _SPEECH * done / count), 1000, f"speech {done + 1} of {count}")
            name = hashlib.sha256(f"{told.voice}\n{sentence.text}".encode()).hexdigest()[:16]
            path = folder / f"{name}.wav"
            seconds = _seconds(path) if path.exists() else voice.say(sentence.text, path)
            lines.append(Line(sentence.text, path, now, seconds))
            now += seconds + sentence.pause
            done += 1
        timed.append(_Timed(scene, begin, tuple(lines)))
    last = timed[-1].lines[-1]
    return timed, last.end + _TAIL


def _seconds(path: Path) -> float:
    import wave

    with wave.open(str(path)) as sound:
        return float(sound.getnframes() / sound.getframerate())


def _image_spec(task: Task, scene: Scene, number: int, seed: int) -> ImageSpec:
    return ImageSpec(scene.prompt, scene.style, scene.number, _seed(seed, scene), task.size)


def _drawn(draw: MovingScene, scene: Scene, number: int, seed: int) -> Any:
    """A scene in motion; the films of an order begin with other takes."""

    def frames(size: Size, count: int, fps: int) -> Iterator[Any]:
        # What it draws for photographs has bars above and below, which would come and go from scene to scene.
        style = "plain" if scene.style == _PHOTOGRAPH else scene.style
        return draw(scene.prompt, style, scene.number + number - 1, _seed(seed, scene), size, count, fps)

    return frames


def _seed(seed: int, scene: Scene) -> int:
    return (seed + _SEED_STEP * scene.number) % 2**32


def _parameters(task: Task, seconds: float, pictures: Sequence[Picture]) -> dict[str, Any]:
    told = _narration(task)
    said = asdict(told) | {"music": None, "script": told.script if len(told.script) <= _SAID else None}
    found: dict[str, Any] = {
        "narration": {name: value for name, value in said.items() if value is not None},
        "duration": round(seconds, 3),
        "picture_by": "the user" if task.from_picture else pictures[0].made_by if pictures else task.image_model,
    }
    if pictures:
        found |= {name: value for name, value in pictures[0].metadata().items() if name == "picture_source"}
    return found | ({"asked": given} if (given := task.options.explicit()) else {})


def _source_type(task: Task, pictures: Sequence[Picture]) -> str:
    """Its IPTC digital source type: what the pictures are; the voice is synthetic in any case."""
    if task.from_picture:
        return task.seen.derived_source_type if task.seen else "algorithmicallyEnhanced"
    source_types = {picture.source_type for picture in pictures}
    return "trainedAlgorithmicMedia" if "trainedAlgorithmicMedia" in source_types else "algorithmicMedia"
