"""Sound read from files in a stream, as 48 kHz samples; and music that goes on for as long as it is asked for.

Only formats that hold the sound themselves are opened: a playlist could name other files, or addresses in the network.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigen.errors import GenerationError, UsageError

if TYPE_CHECKING:
    import numpy
    from av import AudioFrame

    Samples = numpy.ndarray[Any, numpy.dtype[numpy.float32]]

RATE = 48_000
FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,eac3,flac,flv,matroska,webm,mov,mp4,m4a,3gp,mp3,mpeg,mpegts,mpc,ogg,tta,w64,"
    "wav,wv"
)
# Seconds in which music passes from its end to its beginning.
SEAM = 1.5


def check_music(path: Path) -> None:
    """Raise UsageError unless a file is sound that can be played."""
    if not path.is_file():
        raise UsageError(f"no file to take music from: {path}")
    try:
        playable = next(decoded(path, 2), None) is not None
    except (GenerationError, OSError) as error:
        raise UsageError(f"{path.name} cannot be used as music: {' '.join(str(error).split())}") from error
    if not playable:
        raise UsageError(f"{path.name} cannot be used as music: there is no sound in it")


def decoded(path: Path, channels: int) -> Iterator["Samples"]:
    """The sound of a file in blocks of shape (channels, samples); a damaged part is left out, as players do."""
    import av
    from av import AudioResampler

    safe = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    try:
        with av.open(str(path.absolute()), options=safe) as container:
            if not container.streams.audio:
                raise GenerationError("there is no sound in it")
            stream = container.streams.audio[0]
            resampler = AudioResampler("fltp", "mono" if channels == 1 else "stereo", RATE)
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                except av.error.InvalidDataError:
                    continue
                for frame in frames:
                    frame.pts = None  # a gap in its times is none in the sound
                    for piece in resampler.resample(frame):
                        yield _samples(piece)
            for piece in resampler.resample(None):
                yield _samples(piece)
    except av.error.FFmpegError as error:
        raise GenerationError(f"{path.name} cannot be read as sound: {error.strerror or error}") from error


def _samples(frame: "AudioFrame") -> "Samples":
    import numpy

    return frame.to_ndarray().astype(numpy.float32, copy=False)


def looped(path: Path) -> Iterator["Samples"]:
    """Music in stereo without an end: near the end of the file its beginning fades in."""
    import numpy

    seam, tail = round(SEAM * RATE), numpy.zeros((2, 0), numpy.float32)
    while True:
        held, count = numpy.zeros((2, 0), numpy.float32), 0
        for block in decoded(path, 2):
            held, count = numpy.concatenate((held, block), axis=1), count + block.shape[1]
            if held.shape[1] >= tail.shape[1] + seam:
                held, tail = _joined(tail, held), tail[:, :0]
                if held.shape[1] > seam:
                    yield held[:, :-seam]
                    held = held[:, -seam:]
        if not count:
            raise GenerationError(f"there is no sound in {path.name}")
        held = _joined(tail, held)
        seam = min(seam, count // 4)  # of a short sound, a short part
        yield held[:, : held.shape[1] - seam]
        tail = held[:, held.shape[1] - seam :]


def _joined(tail: "Samples", held: "Samples") -> "Samples":
    """What is held, its beginning fading in over a tail that fades out."""
    import numpy

    count = tail.shape[1]
    if not count:
        return held
    angle = (numpy.arange(count, dtype=numpy.float32) + 0.5) / count * (numpy.pi / 2)
    crossing = tail * numpy.cos(angle) + held[:, :count] * numpy.sin(angle)
    return numpy.concatenate((crossing, held[:, count:]), axis=1).astype(numpy.float32)


class Reader:
    """Takes from blocks of sound as many samples as are asked for; silence after their end."""

    def __init__(self, blocks: Iterator["Samples"], channels: int) -> None:
        import numpy

        self._blocks, self._channels = blocks, channels
        self._rest: Samples = numpy.zeros((channels, 0), numpy.float32)
        self.ended = False

    def read(self, count: int) -> "Samples":
        """The next samples."""
        import numpy

        found, have = [self._rest], self._rest.shape[1]
        while have < count and not self.ended:
            block = next(self._blocks, None)
            if block is None:
                self.ended = True
                block = numpy.zeros((self._channels, count - have), numpy.float32)
            found.append(block)
            have += block.shape[1]
        samples = numpy.concatenate(found, axis=1)
        if samples.shape[1] < count:
            samples = numpy.pad(samples, ((0, 0), (0, count - samples.shape[1])))
        self._rest = samples[:, count:]
        return samples[:, :count]
