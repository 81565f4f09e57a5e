"""How our path to a narrated film compares with MoviePy 2 used as its guide shows:
stills, moves, fades, captions, sound.

Usage: benchmarks/film.py [--turns 2] [--minutes 10] [--size 1280x720] [--quick]
It needs some five minutes, most of them for the long film; --minutes 0 leaves that out.

Both make the same film of three stills and 12 seconds in one run, alternating, with the same preset and quality of the
encoder. The second of ours has the very preset that MoviePy is given, the first our own settings. Peak memory is that
of a process of its own; MoviePy's leaves out the FFmpeg that it starts.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable
from pathlib import Path
from statistics import median
from unittest import mock

import numpy
from diffusion import peak_memory
from PIL import Image

from aigen.film.plan import Film, Line, Shot
from aigen.film.shots import still
from aigen.film.writing import make
from aigen.media import encoding
from aigen.types.request import Size

FPS, EACH = 25, 4.0
TEXTS = [
    "A lighthouse stands alone on a cliff, and the storm comes in from the sea.",
    "The keeper climbs the hundred and twelve steps to the lamp, and he lights it.",
    "By morning the sea is calm.",
]
# Three B-frames are this preset's own; they stand here because our encoder has parameters of x264 to add to.
EQUAL = {"preset": "veryfast", "crf": "20", "x264-params": "bframes=3"}


def prepare(folder: Path, size: Size) -> None:
    """Three pictures, three spoken sentences (tones that come and go like syllables) and music of half a minute."""
    random = numpy.random.default_rng(7)
    for number in range(3):
        rough = random.integers(0, 255, (size.height // 40, size.width // 40, 3), dtype=numpy.uint8)
        smooth = numpy.asarray(Image.fromarray(rough).resize((size.width, size.height), Image.Resampling.BICUBIC))
        grain = random.normal(0, 6, smooth.shape)
        Image.fromarray(numpy.clip(smooth + grain, 0, 255).astype(numpy.uint8)).save(folder / f"{number}.png")
        write_wav(folder / f"{number}.wav", 22_050, tone(3.0, 22_050, 160, 4.0), 1)
    write_wav(folder / "music.wav", 44_100, tone(30.0, 44_100, 220, 0.25), 2)


def tone(seconds: float, rate: int, pitch: float, beats: float) -> "numpy.ndarray":
    times = numpy.arange(round(seconds * rate)) / rate
    waves = sum(numpy.sin(2 * numpy.pi * pitch * part * times) / part for part in range(1, 8))
    return 0.2 * waves * (0.6 - 0.4 * numpy.cos(2 * numpy.pi * beats * times))


def write_wav(path: Path, rate: int, sound: "numpy.ndarray", channels: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((sound * 32767).astype("<i2").repeat(channels).tobytes())


def ours(folder: Path, size: Size, seconds: float, path: Path) -> None:
    """A film of stills of four seconds each, with all that a film can have."""
    count = round(seconds / EACH)
    shots = [Shot(each * EACH, still(folder / f"{each % 3}.png", each + 1, each)) for each in range(count)]
    lines = [Line(TEXTS[each % 3], folder / f"{each % 3}.wav", each * EACH + 0.3, 3.0) for each in range(count)]
    make(Film(size, FPS, seconds, shots, lines, folder / "music.wav"), path, lambda done, total: None)


def ours_equal(folder: Path, size: Size, seconds: float, path: Path) -> None:
    """The same with the plain preset that MoviePy is given."""
    with mock.patch.dict(encoding.ENCODER, EQUAL, clear=True):
        ours(folder, size, seconds, path)


def moviepy(folder: Path, size: Size, seconds: float, path: Path) -> None:
    """The same film as MoviePy's guide would have it: clips that are resized, faded, and laid over one another."""
    from importlib.resources import files

    from moviepy import (
        AudioFileClip,
        CompositeAudioClip,
        CompositeVideoClip,
        ImageClip,
        TextClip,
        afx,
        vfx,
    )

    font = str(files("aigen.pipelines.storybook.drawing.lettering") / "Nunito_700Bold.ttf")
    fade, clips, sounds = 0.6, [], []
    for each in range(round(seconds / EACH)):
        begin = each * EACH - (fade if each else 0)
        still = ImageClip(str(folder / f"{each % 3}.png")).with_duration(EACH + (fade if each else 0))
        still = still.with_effects([vfx.Resize(lambda t: 1.0 + 0.03 * t)]).with_position("center").with_start(begin)
        clips.append(still.with_effects([vfx.CrossFadeIn(fade)]) if each else still)
    for each in range(round(seconds / EACH)):
        text = TextClip(
            font=font, text=TEXTS[each % 3], font_size=round(size.height * 0.05), color="white", stroke_color="black",
            stroke_width=2, method="caption", size=(round(size.width * 0.7), None), text_align="center",
        )  # fmt: skip
        begin = each * EACH + 0.3
        clips.append(text.with_start(begin).with_duration(3.0).with_position(("center", size.height * 0.8)))
        sounds.append(AudioFileClip(str(folder / f"{each % 3}.wav")).with_start(begin))
    music = AudioFileClip(str(folder / "music.wav"))
    bed = [afx.AudioLoop(duration=seconds), afx.MultiplyVolume(0.2), afx.AudioFadeOut(2.0)]
    whole = CompositeVideoClip(clips, size=(size.width, size.height)).with_duration(seconds)
    whole = whole.with_audio(CompositeAudioClip([music.with_effects(bed), *sounds]).with_duration(seconds))
    options = {"fps": FPS, "codec": "libx264", "audio_codec": "aac", "preset": "veryfast", "logger": None}
    whole.write_videofile(
        str(path), threads=2, ffmpeg_params=["-crf", "20"], temp_audiofile_path=str(path.parent), **options
    )
    whole.close()


WAYS: dict[str, Callable[[Path, Size, float, Path], None]] = {
    "ours": ours,
    "ours, veryfast": ours_equal,
    "moviepy, veryfast": moviepy,
}


def alone(way: str, folder: Path, size: Size, seconds: float) -> dict[str, float]:
    """Seconds and peak memory in MB of one way, in a process of its own."""
    command = [sys.executable, __file__, "--alone", way, "--folder", str(folder), "--size", str(size)]
    printed = subprocess.run(
        [*command, "--seconds", str(seconds)], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    found: dict[str, float] = json.loads(printed.splitlines()[-1])
    return found


def report(folder: Path, size: Size, turns: int, minutes: float) -> None:
    seconds = 3 * EACH
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    busy: dict[str, list[float]] = {way: [] for way in WAYS}
    peaks: dict[str, float] = {}
    for _ in range(turns):
        for way in WAYS:
            found = alone(way, folder, size, seconds)
            times[way].append(found["seconds"])
            busy[way].append(found["busy"])
            peaks[way] = max(found["peak"], peaks.get(way, 0.0))
    print(f"{seconds:.0f} s film of 3 stills, {size}, {FPS} fps, fades, captions, speech and music; median of {turns}")
    usual = median(times["moviepy, veryfast"])
    for way in WAYS:
        took = median(times[way])
        print(
            f"{way:18} {took:6.2f} s ({min(times[way]):.2f} to {max(times[way]):.2f}), {seconds / took:5.2f} x "
            f"realtime, {usual / took:5.2f} times as fast as moviepy; "
            f"{median(busy[way]):6.2f} s of processor, peak {peaks[way]:4.0f} MB",
            flush=True,
        )
    if minutes:
        found = alone("ours", folder, size, minutes * 60)
        print(
            f"ours, {minutes:g} minutes  {found['seconds']:6.1f} s, {minutes * 60 / found['seconds']:5.2f} x realtime; "
            f"{found['busy']:6.1f} s of processor, peak {found['peak']:4.0f} MB"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--size", type=Size.parse, default=Size(1280, 720))
    parser.add_argument("--quick", action="store_true", help="Take seconds: little work, so figures of little use.")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--alone", choices=list(WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=12, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.turns, arguments.minutes, arguments.size = 1, 0, Size(160, 90)
    if arguments.alone:
        with tempfile.TemporaryDirectory() as work:
            before = time.perf_counter()
            WAYS[arguments.alone](arguments.folder, arguments.size, arguments.seconds, Path(work) / "film.mp4")
            took = time.perf_counter() - before
        print(json.dumps({"seconds": took, "busy": processor_seconds(), "peak": peak_memory()}))
        return
    with tempfile.TemporaryDirectory() as work:
        prepare(Path(work), arguments.size)
        report(Path(work), arguments.size, arguments.turns, arguments.minutes)


def processor_seconds() -> float:
    """What this process and those it started (MoviePy's FFmpeg) have computed."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    main()
