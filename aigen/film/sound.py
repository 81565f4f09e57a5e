"""What is heard: speech at its times, music that makes way for it,
and all of it at the loudness that sites and players expect.

The mix is made in blocks and more than once: speech and music are measured each, then their mix, and only the last is
written. That takes less of the time than a tenth, and ten minutes need no more memory than ten seconds.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigen.film.music import RATE, Reader, decoded, looped
from aigen.film.plan import Film, Line

if TYPE_CHECKING:
    from aigen.film.music import Samples

BLOCK = RATE // 2
# Integrated loudness of a film in LUFS (EBU R128), and the highest sample in dBFS: what is between the samples, and
# what AAC adds, stays below -1 dBTP.
LOUDNESS, PEAK = -16.0, -2.5
# Of music, against speech: in pauses, and how much lower under speech, in LU and dB.
BED, DUCKED = -5.0, -12.0
# Seconds: how long before speech music starts to go down, how long after it to come back,
# and the pause it comes back for.
ATTACK, RELEASE, HOLD = 0.35, 0.9, 1.6
FADE_IN, FADE_OUT = 0.8, 2.0
# No more is amplified, in dB: a recording of nearly nothing is no louder for it.
LIMIT = 30.0
# Of music, how many seconds are measured.
MEASURED = 180


@dataclass(frozen=True)
class Levels:
    """Gains in dB: of speech and of music before they are mixed, and of the mix."""

    speech: float = 0.0
    music: float = 0.0
    mix: float = 0.0


def soundtrack(film: Film, waited: Callable[[], None]) -> Iterator["Samples"]:
    """The sound of a film in stereo blocks, as long as its frames; `waited` is called often while it is measured."""
    total = samples_of(film, film.count)
    levels = _levels(film, total, waited)
    return _limited(_mixed(film, levels, total), levels.mix)


def samples_of(film: Film, frames: int) -> int:
    """How many samples so many frames last."""
    return round(frames * RATE / film.fps)


def _levels(film: Film, total: int, waited: Callable[[], None]) -> Levels:
    """Gains with which speech, music and then their mix have the loudness they should."""
    speech = _gain(_loudness(_stereo(_spoken(film.lines)), waited)) if film.lines else 0.0
    music = 0.0
    if film.music:
        music = _gain(_loudness(_measured(film.music, min(total, MEASURED * RATE)), waited)) + (
            BED if film.lines else 0
        )
    levels = Levels(speech, music)
    for _ in range(2):
        found = _loudness(_limited(_mixed(film, levels, total), levels.mix), waited)
        levels = Levels(speech, music, levels.mix + _gain(found))
        if abs(found - LOUDNESS) < 1:  # else the limiter changes with the gain, and so what is measured
            break
    return levels


def _gain(loudness: float) -> float:
    """What raises this loudness to a film's; nothing where there is only silence."""
    return min(LOUDNESS - loudness, LIMIT) if loudness > -69 else 0.0


def _spoken(lines: Sequence[Line]) -> Iterator["Samples"]:
    for line in lines:
        yield from decoded(line.path, 1)


def _stereo(blocks: Iterator["Samples"]) -> Iterator["Samples"]:
    for block in blocks:
        yield block.repeat(2, axis=0)


def _measured(path: Path, count: int) -> Iterator["Samples"]:
    for block in decoded(path, 2):
        yield block
        count -= block.shape[1]
        if count <= 0:
            return


def _mixed(film: Film, levels: Levels, total: int) -> Iterator["Samples"]:
    """Speech and music, as long as the film."""
    import numpy

    music = Reader(looped(film.music), 2) if film.music else None
    bend = _ducking(film, total / RATE)
    speech = _placed(film, total)
    for start, block in zip(range(0, total, BLOCK), speech, strict=True):
        mixed = (block * _factor(levels.speech)).repeat(2, axis=0)
        if music:
            times = numpy.arange(start, start + block.shape[1]) / RATE
            mixed += music.read(block.shape[1]) * (_factor(levels.music) * bend(times)).astype(numpy.float32)
        yield mixed


def _placed(film: Film, total: int) -> Iterator["Samples"]:
    """Every line at its time, in one channel."""
    import numpy

    waiting = sorted(film.lines, key=lambda line: line.begin)
    playing: list[Reader] = []
    for start in range(0, total, BLOCK):
        count = min(BLOCK, total - start)
        block = numpy.zeros((1, count), numpy.float32)
        for reader in playing:
            block += reader.read(count)
        while waiting and round(waiting[0].begin * RATE) < start + count:
            line = waiting.pop(0)
            place = max(0, round(line.begin * RATE) - start)
            reader = Reader(decoded(line.path, 1), 1)
            block[:, place:] += reader.read(count - place)
            playing.append(reader)
        playing = [reader for reader in playing if not reader.ended]
        yield block


def _ducking(film: Film, seconds: float) -> Callable[[Any], Any]:
    """How loud music is at given times, as a factor: down under speech, in at the start and out at the end."""
    import numpy

    times, levels = [0.0], [0.0]
    for begin, end in _speaking(film):
        times += [begin - ATTACK, begin, end, end + RELEASE]
        levels += [0.0, DUCKED, DUCKED, 0.0]
    fade_in, fade_out = min(FADE_IN, seconds / 4), min(FADE_OUT, seconds / 2)

    def bend(at: Any) -> Any:
        ducked = 10 ** (numpy.interp(at, times, levels) / 20)
        faded = numpy.clip(numpy.minimum(at / fade_in, (seconds - at) / fade_out), 0, 1)
        return ducked * faded * faded * (3 - 2 * faded)

    return bend


def _speaking(film: Film) -> list[tuple[float, float]]:
    """When there is speech; pauses too short for music to come back in are part of it."""
    found: list[tuple[float, float]] = []
    for line in sorted(film.lines, key=lambda line: line.begin):
        if found and line.begin - found[-1][1] < HOLD:
            found[-1] = (found[-1][0], max(found[-1][1], line.end))
        else:
            found.append((line.begin, line.end))
    return found


def _factor(decibels: float) -> float:
    return float(10 ** (decibels / 20))


def _limited(blocks: Iterator["Samples"], gain: float) -> Iterator["Samples"]:
    """The sound so much louder, and its peaks turned down, slowly and looking ahead, to where none is cut."""
    limiter = f"level_in={_factor(gain):.6f}:limit={_factor(PEAK):.6f}:attack=5:release=80:level=0:latency=1"
    for frame in _filtered(blocks, ("alimiter", limiter), ("aformat", "sample_fmts=fltp")):
        yield frame.to_ndarray()


def _loudness(blocks: Iterator["Samples"], waited: Callable[[], None]) -> float:
    """Integrated loudness in LUFS; -70 is silence."""
    found = -70.0
    for frame in _filtered(blocks, ("ebur128", "metadata=1:framelog=quiet")):
        found = float(frame.metadata.get("lavfi.r128.I", found))
        waited()
    return found if found == found else -70.0  # not a number: too short to have any


def _filtered(blocks: Iterator["Samples"], *filters: tuple[str, str]) -> Iterator[Any]:
    """Frames as they come out of filters of FFmpeg."""
    from fractions import Fraction

    import av
    import numpy
    from av.filter import Graph

    graph = Graph()
    source = graph.add_abuffer(sample_rate=RATE, format="fltp", layout="stereo", time_base=Fraction(1, RATE))
    nodes = [source, *(graph.add(*each) for each in filters), graph.add("abuffersink")]
    for node, after in pairwise(nodes):
        node.link_to(after)
    graph.configure()

    def pulled() -> Iterator[Any]:
        while True:
            try:
                yield graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return

    place = 0
    for block in blocks:
        frame = av.AudioFrame.from_ndarray(numpy.ascontiguousarray(block), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, place = RATE, place, place + block.shape[1]
        graph.push(frame)
        yield from pulled()
    graph.push(None)
    yield from pulled()
