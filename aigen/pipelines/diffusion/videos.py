"""Videos by models that make motion themselves: step by step, then frame by frame into the file."""

from collections.abc import Iterator
from inspect import signature
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from aigen.errors import GenerationError
from aigen.media.encoding import VideoWriter, open_fitting
from aigen.models import device
from aigen.models.catalogue import Model, VideoArchitecture
from aigen.models.device import quietly
from aigen.pipelines.diffusion.call import Call, known_to, only_known, source_type_of, watched
from aigen.pipelines.diffusion.decoding import streamed
from aigen.pipelines.diffusion.loading import Loaded, guarded, recover, slot
from aigen.types.pipeline import Output, Picture, Run, Task
from aigen.types.request import DURATION_LIMITS

if TYPE_CHECKING:
    from aigen.media.encoding import Pixels


def make(
    loaded: Loaded, model: Model, architecture: VideoArchitecture, task: Task, run: Run, pictures: dict[int, Picture]
) -> Iterator[Output]:
    """The videos of a task, one after another, each from its picture (by seed)
    where there are any. Raises GenerationError.
    """
    call = Call.of(loaded, model, task, architecture.multiple)
    for told in call.remarks():
        run.say(told)
    knows_rates = {"fps", "frame_rate"} & set(known_to(loaded.pipeline))
    if task.fps != (usual := model.fps or architecture.fps) and not knows_rates:
        run.say(f"{call.name} moves as at {usual} frames a second; at {task.fps} it is {_pace(task.fps / usual)}")
    if "prompt" not in known_to(loaded.pipeline) and any(picture.made_by is None for picture in pictures.values()):
        run.say(f"{call.name} reads no prompt: it moves the picture as it sees fit")
    for number, seed in zip(task.numbers, task.seeds, strict=True):
        yield _attempt(call, architecture, number, seed, pictures.get(seed), run)


def _attempt(
    call: Call, architecture: VideoArchitecture, number: int, seed: int, picture: Picture | None, run: Run
) -> Output:
    try:
        with guarded(call.loaded, call.model):
            return _make(call, architecture, number, seed, picture, run)
    except Exception as error:
        if not device.is_out_of_memory(error):
            raise
    # Not before the error is gone, which holds what was in the making.
    slot.release()
    smaller = "" if architecture.fixed else ", give a smaller --size"
    fewer = call.task.frames // 2
    shorter = f", give --frames {fewer}" if fewer >= call.task.fps * DURATION_LIMITS[0] else ""
    raise GenerationError(
        f"not enough memory for {call.task.frames} frames of {call.task.size} "
        f"by {call.name}: close other programs{shorter}"
        f"{smaller}, or choose a smaller model (aigen models)"
    )


def _make(
    call: Call, architecture: VideoArchitecture, number: int, seed: int, picture: Picture | None, run: Run
) -> Output:
    import torch

    task, pipeline = call.task, call.loaded.pipeline
    arguments = call.arguments([number]) | {
        "num_frames": architecture.round_up(task.frames),
        "frame_rate": task.fps,
        "fps": task.fps,
        # On the processor whatever runs the model: the same noise everywhere.
        "generator": torch.Generator("cpu").manual_seed(seed),
        "decode_chunk_size": architecture.at_a_time or None,
        "output_type": "pt",
    }
    if picture:
        pipeline = _from_picture(pipeline, architecture)
        arguments["image"] = open_fitting(picture.path, call.size)
    path = task.work / f"video-{number}.mp4"
    rest = max(1, call.steps // 8)  # of the time, roughly
    tiled = call.loaded.setup.tiled
    with (
        _Frames(path, call, run, rest) as frames,
        quietly(),
        streamed(pipeline.vae, frames.take, frames.say_tiled, tiled),
    ):
        pipeline(**only_known(pipeline, arguments), **watched(pipeline, run, rest=rest))
    parameters = call.parameters(pipeline)
    if picture:
        recover(call.loaded)  # what waits outside a GPU does so only for the pipeline that it was loaded by
        parameters |= {name: value for name, value in picture.metadata().items() if name.startswith("picture_")}
        parameters |= {"asked": given} if picture.made_by and (given := task.options.explicit()) else {}
    return Output(path, seed, parameters, source_type_of(picture))


class _Frames:
    """Writes the frames of a video as they come: as many as were asked for, and the middle of each."""

    def __init__(self, path: Path, call: Call, run: Run, rest: int) -> None:
        self._call, self._run, self._rest = call, run, rest
        self._writer = VideoWriter(path, call.task.size, call.task.fps)
        self._count = 0

    def take(self, frames: Any) -> None:
        """Write frames of shape (frames, channels, height, width), from -1 to 1."""
        import torch

        if not bool(torch.isfinite(frames).all()):
            raise GenerationError(
                f"{self._call.name} lost its numbers at precision {self._call.loaded.setup.precision}, "
                "and would have made a "
                "black video: choose another model (aigen models)"
            )
        left, top, right, bottom = self._call.crop
        frames = frames[: self._call.task.frames - self._count, ..., top:bottom, left:right]
        for frame in (frames.float() * 0.5 + 0.5).clamp(0, 1).mul(255).round().to(torch.uint8):
            self._writer.write(_opaque(frame))
            self._count += 1
            self._tell()

    def _tell(self) -> None:
        steps, frames = self._call.steps, self._call.task.frames
        done = steps + self._rest * self._count / frames
        self._run.step(int(done), steps + self._rest, f"decoding frame {self._count} of {frames}")

    def say_tiled(self) -> None:
        self._run.say(f"not enough memory for {self._call.task.size} as a whole: {self._call.name} decodes it in tiles")

    def __enter__(self) -> Self:
        self._writer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._writer.__exit__(kind, error, traceback)
        if error is None and self._count != self._call.task.frames:
            raise GenerationError(
                f"{self._call.name} made {self._count} of {self._call.task.frames} frames: give --frames {self._count}"
            )


def _opaque(frame: Any) -> "Pixels":
    """A frame of shape (channels, height, width) as RGBA pixels."""
    import numpy

    colours = frame.permute(1, 2, 0).cpu().numpy()
    pixels = numpy.full((*colours.shape[:2], 4), 255, numpy.uint8)
    pixels[..., :3] = colours
    return pixels


def _from_picture(pipeline: Any, architecture: VideoArchitecture) -> Any:
    """The same model as a pipeline that starts from a picture; it shares the weights."""
    if architecture.starts_from == "picture":
        return pipeline
    import diffusers

    maker = getattr(diffusers, str(architecture.from_picture))
    # Not by `from_pipe`, which would make all of the weights float32.
    parts = {**pipeline.config, **pipeline.components}
    known = signature(maker.__init__).parameters
    with quietly():
        made = maker(**{name: part for name, part in parts.items() if name in known})
    made.set_progress_bar_config(disable=True)
    return made


def _pace(ratio: float) -> str:
    return f"{ratio:.1f} times as fast" if ratio > 1 else f"{1 / ratio:.1f} times as slow"
