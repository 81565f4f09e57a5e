"""The film as a file: H.264 and AAC in an MP4 that plays while it loads,
its frames and its sound written as they are made.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigen.errors import GenerationError
from aigen.film.burning import Stamps, check_captions
from aigen.film.music import RATE, Reader
from aigen.film.plan import Film, Planes
from aigen.film.shots import plane_arrays, sequence
from aigen.film.sound import samples_of, soundtrack
from aigen.media.encoding import Writer
from aigen.types.request import Size

if TYPE_CHECKING:
    from aigen.film.burning import Stamp
    from aigen.film.music import Samples

# Bits a second; `fast` takes a quarter of the usual way's time, and at this rate is as near to the sound.
SOUND_RATE, SOUND_ENCODER = 160_000, {"aac_coder": "fast"}


def make(film: Film, path: Path, step: Callable[[int, int], None]) -> None:
    """Write a film as an MP4; `step` gets the frames made and all of them, at least twice a second.

    Raises UsageError, before anything is made, for captions that cannot be drawn; GenerationError, naming the file
    where there is one, for what cannot be read or encoded; an OSError when the disk is full.
    """
    import av

    if film.captions == "burned":
        check_captions(" ".join(line.text for line in film.lines))
    try:
        _make(film, path, step)
    except av.error.FFmpegError as error:
        if isinstance(error, OSError) and error.errno and error.errno > 0:
            raise
        raise GenerationError(f"the film cannot be encoded: {error.strerror or error}") from error


def _make(film: Film, path: Path, step: Callable[[int, int], None]) -> None:
    stamps = Stamps(film)
    sound = Reader(soundtrack(film, lambda: step(0, film.count)), 2)
    with FilmWriter(path, film.size, film.fps) as file:
        for frame, planes in enumerate(sequence(film)):
            heard = samples_of(film, frame + 1) - samples_of(film, frame)
            file.write(planes, stamps.at(frame), sound.read(heard))
            step(frame + 1, film.count)


class FilmWriter(Writer):
    """Encodes frames with their sound."""

    def __init__(self, path: Path, size: Size, fps: int) -> None:
        super().__init__(path, size, fps)
        sound: Any = self._container.add_stream("aac", rate=RATE, layout="stereo", options=SOUND_ENCODER)
        sound.bit_rate = SOUND_RATE
        self._streams.append(sound)
        self._size = size
        self._heard = 0

    def write(self, planes: Planes, stamp: "Stamp | None", samples: "Samples") -> None:
        """Encode one frame with a caption over it, and the sound that is heard while it is seen."""
        self._later(self._encode, planes, stamp, samples)

    def _encode(self, planes: Planes, stamp: "Stamp | None", samples: "Samples") -> None:
        import numpy
        from av import AudioFrame, VideoFrame

        frame = VideoFrame(self._size.width, self._size.height, "yuv420p")
        arrays = plane_arrays(frame)
        for array, plane in zip(arrays, (planes.y, planes.u, planes.v), strict=True):
            array[...] = plane
        if stamp:
            stamp.lay(arrays)
        self._encode_frame(frame)
        heard = AudioFrame.from_ndarray(numpy.ascontiguousarray(samples), format="fltp", layout="stereo")
        heard.sample_rate, heard.pts, self._heard = RATE, self._heard, self._heard + samples.shape[1]
        self._container.mux(self._streams[1].encode(heard))
