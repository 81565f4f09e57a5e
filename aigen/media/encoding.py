"""Pictures as PNG, frames as MP4."""

import math
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from aigen.types.request import Size

if TYPE_CHECKING:
    import numpy
    from PIL.Image import Image

    Pixels = numpy.ndarray[Any, numpy.dtype[numpy.uint8]]

# As small as level 6 and 1.8 times as fast.
PNG_LEVEL = 4
# What makes `veryfast` small (CABAC, deblocking, B-frames, a look ahead) without what makes it slow: a third of its
# time at nearly its size and quality, for drawn frames (benchmarks/RESULTS.md).
ENCODER = {
    "preset": "ultrafast",
    "crf": "20",
    "x264-params": "cabac=1:deblock=0,0:mbtree=1:rc-lookahead=6:bframes=3:aq-mode=1:8x8dct=1",
}
# A fixed number, so that the same frames give the same bytes however many cores there are.
ENCODER_THREADS = 2
# Frames that may wait for the encoder while the next is drawn.
FRAMES_AHEAD = 4


def save_png(pixels: "Pixels", path: Path) -> None:
    """Write an RGBA array of shape (height, width, 4) as an opaque PNG."""
    from PIL import Image

    Image.fromarray(pixels).convert("RGB").save(path, format="PNG", compress_level=PNG_LEVEL)


def open_fitting(path: Path, size: Size) -> "Image":
    """A picture as RGB, so scaled and cut that it has this size."""
    from PIL import Image

    with Image.open(path) as image:
        return fit(image.convert("RGB"), size)


def fit(image: "Image", size: Size) -> "Image":
    """A picture so scaled that it fills this size, and what stands out cut off:
    less above, where heads are, than below.
    """
    from PIL import Image, ImageOps

    return ImageOps.fit(image, (size.width, size.height), Image.Resampling.LANCZOS, centering=(0.5, 0.3))


def _encoder_options(size: Size) -> dict[str, str]:
    """Return the options of x264 that give the same bytes for the same frames.

    With AVX-512 its `mbtree` takes eight macroblocks at a time and reads past a row of any other number, in memory that
    was never written, which changes a video now and then; with AVX2 it does not.
    """
    import numpy

    found = numpy.show_config(mode="dicts").get("SIMD Extensions", {}).get("found", [])
    has_avx512 = any(name == "X86_V4" or name.startswith("AVX512") for name in found)
    reads_past = has_avx512 and math.ceil(size.width / 16) % 8
    parameters = ENCODER["x264-params"] + (":asm=AVX2" if reads_past else "")
    return ENCODER | {"x264-params": parameters, "threads": str(ENCODER_THREADS)}


class Writer:
    """An MP4 with H.264 that can be played while it loads, in the making.

    What is to be encoded is so in a thread of its own, one after another, so that drawing and encoding use a core each;
    no more than a few frames are ever in memory.
    """

    def __init__(self, path: Path, size: Size, fps: int) -> None:
        import av
        from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        stream = self._container.add_stream("libx264", rate=fps, options=_encoder_options(size))
        stream.width, stream.height, stream.pix_fmt = size.width, size.height, "yuv420p"
        context = stream.codec_context
        context.thread_count = ENCODER_THREADS
        context.color_range = ColorRange.MPEG
        context.colorspace = Colorspace.ITU709
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        self._streams: list[Any] = [stream]
        self._count = 0
        self._encoder = ThreadPoolExecutor(max_workers=1, thread_name_prefix="encoder")
        self._waiting: deque[Future[None]] = deque()

    def _later(self, encode: Callable[..., None], *arguments: Any) -> None:
        self._waiting.append(self._encoder.submit(encode, *arguments))
        while len(self._waiting) > FRAMES_AHEAD:
            self._waiting.popleft().result()

    def _encode_frame(self, frame: Any) -> None:
        frame.pts, self._count = self._count, self._count + 1
        self._container.mux(self._streams[0].encode(frame))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._encoder.shutdown(cancel_futures=error is not None)
            if error is None:
                for frame in self._waiting:
                    frame.result()
                for stream in self._streams:
                    self._container.mux(stream.encode(None))
        finally:
            self._container.close()


class VideoWriter(Writer):
    """Encodes RGBA frames, one after another: arrays of shape (height, width, 4); both sides are even."""

    def __init__(self, path: Path, size: Size, fps: int) -> None:
        from av.video.reformatter import VideoReformatter

        super().__init__(path, size, fps)
        self._reformatter = VideoReformatter()

    def write(self, pixels: "Pixels") -> None:
        """Encode one frame; the array may be drawn over at once."""
        self._later(self._encode, pixels.copy())

    def _encode(self, pixels: "Pixels") -> None:
        from av import VideoFrame
        from av.video.reformatter import Colorspace, Interpolation

        frame = self._reformatter.reformat(
            VideoFrame.from_numpy_buffer(pixels, format="rgba"),
            format="yuv420p",
            src_colorspace=Colorspace.ITU709,
            dst_colorspace=Colorspace.ITU709,
            interpolation=Interpolation.AREA,  # four pixels make one of colour: their mean, and the fastest way to it
        )
        self._encode_frame(frame)
