"""Produce one film: speak its sentences, get a picture for each scene, and put everything together.

Each step keeps its results, so a crash costs only the step that was running.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aigen.film import speech
from aigen.film.captions import write_captions
from aigen.film.plan import Film, Line, Shot
from aigen.film.script import Scene
from aigen.film.shots import painted as drawn_in_motion
from aigen.film.shots import still
from aigen.film.writing import make
from aigen.pipelines import MovingScene, moving_scenes
from aigen.types.pipeline import Failure, ImageSpec, Output, Picture, Run, Task
from aigen.types.request import Narration, Size
from aigen.types.styles import PHOTOGRAPH

# How much of the work on a film the voice is, and the pictures where a model makes them.
_SPEECH, _PICTURES = 0.1, 0.6
# Seconds before the first word and after the last.
_LEAD, _TAIL = 0.5, 1.2
# Pictures of a film have seeds of their own: far from those of other films of the order.
_SEED_STEP = 7919
# Of a longer script a file does not say it.
_SAID = 10_000


@dataclass(frozen=True)
class _Timed:
    """A scene with its spoken lines, and when it begins."""

    scene: Scene
    begin: float
    lines: tuple[Line, ...]


def produce(task: Task, told: Narration, scenes: Sequence[Scene], number: int, seed: int, run: Run) -> Output | Failure:
    """Produce the film of one item from its scenes, or return why a picture of it failed."""
    timed, seconds = _speak(task, told, scenes, run)
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
        [still(picture.path, place + number - 1, seed) for place, picture in enumerate(painted, 1)]
        if painted or drawn is None
        else [drawn_in_motion(_drawn(drawn, scene, number, seed)) for scene in scenes]
    )
    music = task.work / f"music{told.music}" if told.music else None
    made = Film(
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

    make(made, path, step)
    beside: tuple[Path, ...] = ()
    if told.captions != "off":
        write_captions(made.lines, path.with_suffix(""))
        beside = (path.with_suffix(".srt"), path.with_suffix(".vtt"))
    return Output(path, seed, _parameters(task, told, made.seconds, painted), _source_type(task, painted), beside)


def _speak(task: Task, told: Narration, scenes: Sequence[Scene], run: Run) -> tuple[list[_Timed], float]:
    """Every sentence as a sound file, with when it is said; and when all is over. What is spoken already stays."""
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
        style = "plain" if scene.style == PHOTOGRAPH else scene.style
        return draw(scene.prompt, style, scene.number + number - 1, _seed(seed, scene), size, count, fps)

    return frames


def _seed(seed: int, scene: Scene) -> int:
    return (seed + _SEED_STEP * scene.number) % 2**32


def _parameters(task: Task, told: Narration, seconds: float, pictures: Sequence[Picture]) -> dict[str, Any]:
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
