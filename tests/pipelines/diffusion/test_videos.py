"""Videos by real diffusers pipelines from tiny random weights, one for each way they are made."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy
import pytest
import torch
from PIL import Image

from aigen import pipelines
from aigen.errors import Cancelled, GenerationError, UsageError
from aigen.media import provenance
from aigen.media.encoding import VideoWriter
from aigen.models import catalogue, machine, weights
from aigen.models.machine import Machine, Setup
from aigen.orders import lifecycle, placing, reorder
from aigen.pipelines import diffusion
from aigen.pipelines.diffusion import loading
from aigen.types.pipeline import Failure, Output, Picture, Task
from aigen.types.reports import Expected, Finished, Report, Step
from aigen.types.request import Attachments, Draft, Options, Size
from tests import tiny_models, tiny_videos
from tests.conftest import load, make_once
from tests.pipelines.diffusion.conftest import WARNINGS
from tests.pipelines.diffusion.tasks import a_video_task, make
from tests.runs import Listener
from tests.watched_orders import Orders

pytestmark = WARNINGS

SORTS = ["animatediff", "wan", "wan22", "ltx", "cogvideox", "svd"]
PICTURED = ["svd", "ltx", pytest.param("wan22", marks=pytest.mark.system)]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    makers: dict[str, Callable[[Path], object]] = {sort: partial(tiny_videos.save, sort=sort) for sort in SORTS}
    makers["pictures"] = partial(tiny_models.save, sort="stable-diffusion")
    return make_once(tmp_path_factory, "videos", makers)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The frames that are written, as they are before they are encoded."""
    frames: list[Any] = []
    write = VideoWriter.write

    def listen(self: VideoWriter, pixels: Any) -> None:
        frames.append(pixels[..., :3].astype(int))
        write(self, pixels)

    monkeypatch.setattr(VideoWriter, "write", listen)
    return frames


@pytest.fixture
def picture(tmp_path: Path) -> Picture:
    return a_picture(tmp_path, "crimson")


def a_picture(tmp_path: Path, colour: str, made_by: str | None = "sd") -> Picture:
    path = tmp_path / f"{colour}.png"
    Image.new("RGB", (96, 80), colour).save(path)
    return Picture(path, made_by, "trainedAlgorithmicMedia")


def decoded(path: Path) -> list[Any]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]


def bare(model: Path, **arguments: Any) -> Any:
    """The frames that diffusers itself makes, as whole numbers, of shape (frames, height, width, colours)."""
    from diffusers import DiffusionPipeline

    pipeline: Any = DiffusionPipeline.from_pretrained(model, use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator("cpu").manual_seed(7)
    found = pipeline(
        **arguments,
        num_frames=9,
        num_inference_steps=2,
        width=64,
        height=64,
        generator=generator,
        output_type="pt",
    )
    return (found.frames[0].permute(0, 2, 3, 1) * 255).round().int().numpy()


@pytest.mark.parametrize("sort", SORTS)
def test_frames_are_those_that_a_bare_call_of_diffusers_gives(
    models: Path, tmp_path: Path, sort: str, written: list[Any], picture: Picture
) -> None:
    """And the file has them all, in their order, and can be played while it loads."""
    arguments: dict[str, Any] = {
        "svd": {"image": Image.new("RGB", (64, 64), "crimson"), "fps": 8, "decode_chunk_size": 8},
        "ltx": {"prompt": "a red kite", "frame_rate": 8},
        "animatediff": {"prompt": "a red kite", "decode_chunk_size": 1},
    }.get(sort, {"prompt": "a red kite"})
    listener = Listener(picture=picture)
    (output,) = make(models / sort, a_video_task(tmp_path, starts_from_picture=sort == "svd"), listener)
    assert isinstance(output, Output)
    assert numpy.abs(numpy.stack(written) - bare(models / sort, **arguments)).max() <= 2
    frames = decoded(output.path)
    assert len(frames) == 9
    for one, other in pairwise(frames):
        assert numpy.abs(one - other).mean() > 0.5
    for number, encoded in enumerate(frames):
        apart = [numpy.abs(coarse(encoded) - coarse(other)).mean() for other in written]
        assert apart.index(min(apart)) == number
    whole = output.path.read_bytes()
    assert whole.index(b"moov") < whole.index(b"mdat")
    assert listener.steps[-3:] == ["decoding frame 7 of 9", "decoding frame 8 of 9", "decoding frame 9 of 9"]
    assert listener.steps.index("step 1 of 2") < listener.steps.index("decoding frame 1 of 9")


def coarse(frame: Any) -> Any:
    """A frame of 64x64 in blocks of 8x8: what an encoder keeps even of noise."""
    return frame.reshape(8, 8, 8, 8, 3).mean(axis=(1, 3))


@pytest.mark.parametrize(
    "sort", ["wan22", *(pytest.param(sort, marks=pytest.mark.system) for sort in ("animatediff", "wan"))]
)
def test_a_video_has_the_frames_and_the_size_that_were_asked_for(
    models: Path, tmp_path: Path, sort: str, written: list[Any]
) -> None:
    """Of Wan 4k + 1 frames can be made, and sides that are multiples of 32; the rest is cut off."""
    (output,) = make(models / sort, a_video_task(tmp_path, frames=6, size=Size(50, 36)))
    assert isinstance(output, Output)
    assert [frame.shape for frame in decoded(output.path)] == [(36, 50, 3)] * 6
    assert len(written) == 6


@pytest.mark.system
@pytest.mark.parametrize("sort", ["animatediff", "wan"])
def test_a_video_is_the_same_alone_and_after_others(models: Path, tmp_path: Path, sort: str) -> None:
    first, second = (output.path.read_bytes() for output in made(models / sort, a_video_task(tmp_path, 2)))
    assert first != second
    (alone,) = made(models / sort, a_video_task(tmp_path, numbers=(2,), seeds=(8,)))
    assert alone.path.read_bytes() == second


def made(model: Path, task: Task, listener: Listener | None = None) -> list[Output]:
    outputs = make(model, task, listener)
    assert all(isinstance(output, Output) for output in outputs)
    return [output for output in outputs if isinstance(output, Output)]


@pytest.mark.parametrize("sort", PICTURED)
def test_a_video_starts_from_its_picture(models: Path, tmp_path: Path, sort: str, written: list[Any]) -> None:
    def frames(picture: Picture) -> tuple[Output, Any]:
        written.clear()
        (output,) = made(models / sort, a_video_task(tmp_path, starts_from_picture=True), Listener(picture=picture))
        return output, numpy.stack(written)

    red, of_red = frames(a_picture(tmp_path, "red"))
    green, of_green = frames(a_picture(tmp_path, "green", made_by=None))
    assert numpy.abs(of_red - of_green).mean() > 1
    assert (red.source_type, red.parameters["picture_by"]) == ("trainedAlgorithmicMedia", "sd")
    assert (green.source_type, green.parameters["picture_by"]) == ("compositeWithTrainedAlgorithmicMedia", "the user")


@pytest.mark.parametrize("sort", ["ltx", pytest.param("wan22", marks=pytest.mark.system)])
def test_starting_from_a_picture_leaves_the_weights_as_they_are(
    models: Path, tmp_path: Path, sort: str, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are shared; what makes them float32 would double what the next order takes."""
    setup = Setup("cpu", "bfloat16", ())
    monkeypatch.setattr(machine, "choose", lambda *_: setup)

    def precisions() -> dict[str, set[torch.dtype]]:
        held = loading.slot.held
        assert held
        parts = {name: part for name, part in held.pipeline.components.items() if isinstance(part, torch.nn.Module)}
        return {name: {each.dtype for each in part.parameters()} for name, part in parts.items()}

    task = a_video_task(tmp_path, frames=1, options=Options(steps=1))
    make(models / sort, task)
    before = precisions()
    assert torch.bfloat16 in before["transformer"]
    assert before["vae"] == {torch.float32 if sort == "wan22" else torch.bfloat16}
    make(models / sort, replace(task, starts_from_picture=True), Listener(picture=picture))
    assert precisions() == before


def test_a_model_that_reads_no_prompt_says_so_of_the_users_picture(models: Path, tmp_path: Path) -> None:
    listener = Listener(picture=a_picture(tmp_path, "red", made_by=None))
    make(models / "svd", a_video_task(tmp_path, frames=2, options=Options(steps=1), starts_from_picture=True), listener)
    assert listener.said == ["svd reads no prompt: it moves the picture as it sees fit"]
    assert "looking at the picture…" in listener.steps


def test_memory_that_is_short_for_a_decoder_without_tiles_is_told(
    models: Path, tmp_path: Path, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, listener = (
        a_video_task(tmp_path, frames=8, fps=8, options=Options(steps=1), starts_from_picture=True),
        Listener(picture=picture),
    )
    make(models / "svd", task, listener)
    held = loading.slot.held
    assert held

    def short(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(held.pipeline.vae.decoder, "forward", short)
    with pytest.raises(GenerationError, match=r"not enough memory for 8 frames of 64x64 by svd: .* give --frames 4"):
        make(models / "svd", task, listener)
    assert loading.slot.held is None  # nor is it in use any more


def test_what_can_start_from_a_picture_is_known_before_anything_is_loaded(models: Path) -> None:
    starts = {sort: diffusion.load(catalogue.find(str(models / sort))).abilities.starts_from for sort in SORTS}
    assert starts == {
        "animatediff": "prompt", "wan": "prompt", "wan22": "either", "ltx": "either", "cogvideox": "prompt",
        "svd": "picture",
    }  # fmt: skip


def test_where_no_picture_could_be_made_no_video_is(models: Path, tmp_path: Path) -> None:
    listener = Listener(picture=Failure(7, "the safety checker took it away"))
    made = make(models / "svd", a_video_task(tmp_path, starts_from_picture=True), listener)
    assert made == [Failure(7, "the safety checker took it away")]
    assert loading.slot.held is None


def test_what_made_a_video_is_told(models: Path, tmp_path: Path) -> None:
    options = Options(steps=2, guidance=4.5, negative="blurry")
    (output,) = made(models / "wan", a_video_task(tmp_path, options=options))
    assert output.source_type == "trainedAlgorithmicMedia"
    assert output.parameters == {
        "steps": 2, "guidance": 4.5, "negative_prompt": "blurry", "sampler": "UniPCMultistepScheduler",
        "precision": "float32", "source": "a folder",
    }  # fmt: skip


def test_another_rate_than_the_models_own_is_told(models: Path, tmp_path: Path) -> None:
    listener = Listener()
    make(models / "wan", a_video_task(tmp_path, fps=24), listener)
    assert listener.said == ["wan moves as at 16 frames a second; at 24 it is 1.5 times as fast"]
    listener = Listener()
    make(models / "ltx", a_video_task(tmp_path, fps=12), listener)  # which is told the rate
    assert not listener.said


def test_how_long_it_takes_is_measured_by_the_second_step(models: Path, tmp_path: Path) -> None:
    listener = Listener(measures=True)
    make(models / "wan", a_video_task(tmp_path, options=Options(steps=3)), listener)
    (seconds,) = listener.expected
    assert 0 < seconds < 60


@pytest.mark.system
def test_an_order_is_cancelled_at_the_next_step(models: Path, tmp_path: Path) -> None:
    def cancel(text: str) -> None:
        if text in ("step 2 of 9", "decoding frame 3 of 9"):
            raise Cancelled("enough")

    for sort, steps in (("wan", 9), ("animatediff", 1)):
        with pytest.raises(Cancelled):
            make(models / sort, a_video_task(tmp_path, options=Options(steps=steps)), Listener(before_step=cancel))
        assert len(made(models / sort, a_video_task(tmp_path))) == 1  # what is held still works


# Too little memory


@pytest.mark.parametrize("sort", ["wan", "ltx", pytest.param("animatediff", marks=pytest.mark.system)])
def test_on_too_little_memory_it_decodes_in_tiles_and_says_so(
    models: Path, tmp_path: Path, sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in the middle: the frames that were written stay, each once."""
    decoder_calls = 0
    listener = Listener()
    task = a_video_task(tmp_path)
    make(models / sort, task)
    held = loading.slot.held
    assert held
    decoder = held.pipeline.vae
    forward = decoder.decoder.forward

    def limited(*arguments: Any, **more: Any) -> Any:
        nonlocal decoder_calls
        decoder_calls += 1
        if decoder_calls == (1 if sort == "ltx" else 3):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return forward(*arguments, **more)

    monkeypatch.setattr(decoder.decoder, "forward", limited)
    (output,) = made(models / sort, task, listener)
    assert len(decoded(output.path)) == 9
    assert f"not enough memory for 64x64 as a whole: {sort} decodes it in tiles" in listener.said
    assert not decoder.use_tiling  # the next order may have smaller videos
    assert "decode" not in vars(decoder)


@pytest.mark.system
def test_where_not_even_a_step_can_be_made_it_says_what_to_do(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(models / "wan", a_video_task(tmp_path))
    held = loading.slot.held
    assert held

    def short(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(held.pipeline.transformer, "forward", short)
    with pytest.raises(
        GenerationError,
        match=r"not enough memory for 9 frames of 64x64 by wan: close .*, give --frames 4, give a smaller --size",
    ):
        make(models / "wan", a_video_task(tmp_path))


def test_numbers_that_are_lost_make_no_black_video(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(models / "wan", a_video_task(tmp_path))
    held = loading.slot.held
    assert held
    step = held.pipeline.scheduler.step
    monkeypatch.setattr(held.pipeline.scheduler, "step", lambda *a, **b: (step(*a, **b)[0] * float("nan"),))
    with pytest.raises(GenerationError, match="wan lost its numbers at precision float32"):
        make(models / "wan", a_video_task(tmp_path))


# What a model can do is checked before an order is written


def test_what_a_model_cannot_make_is_refused(models: Path, tmp_path: Path) -> None:
    def check(sort: str, **changes: Any) -> None:
        pipeline = diffusion.load(catalogue.find(str(models / sort)))
        pipeline.check(a_video_task(tmp_path, **{"size": pipeline.abilities.sizes["video"]} | changes))

    check("wan", frames=81, fps=16)
    with pytest.raises(
        UsageError, match=r"82 frames are too many for wan: it makes at most 81, which last 5.06 s at 16"
    ):
        check("wan", frames=82, fps=16)
    with pytest.raises(UsageError, match="cogvideox makes videos of 720x480 only, not of 64x64: leave out --size"):
        check("cogvideox", size=Size(64, 64))
    with pytest.raises(UsageError, match="there is no tiny decoder for wan: leave out --fast"):
        check("wan", options=Options(fast=True))


def test_what_would_fit_the_memory_is_said(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = diffusion.load(catalogue.find(str(models / "svd")))
    laptop = Machine("cpu", "4 cores", 13 * 10**9, 6 * 10**9, 13 * 10**9, 6 * 10**9)
    monkeypatch.setattr(machine, "detect_machine", lambda: laptop)
    task = a_video_task(tmp_path, size=Size(1024, 576), frames=25, fps=7, starts_from_picture=True)
    # The weights are tiny here; to decode 8 frames of a real one takes 12.5 GB.
    with pytest.raises(
        UsageError, match=r"of 1024x640 by svd: 7 frames would fit \(--frames 7\), 512x320 would fit \(--size 512x320\)"
    ):
        pipeline.check(replace(task, size=Size(1024, 640)))
    monkeypatch.setattr(machine, "detect_machine", lambda: replace(laptop, memory=9 * 10**9, system_memory=9 * 10**9))
    with pytest.raises(UsageError, match=r"for 25 frames of 1024x576 by svd: 5 frames would fit"):
        pipeline.check(task)
    pipeline.check(replace(task, frames=2, size=Size(512, 320)))


def test_a_folder_says_itself_whether_it_makes_videos(models: Path) -> None:
    assert diffusion.load(catalogue.find(str(models / "wan"))).abilities.kinds == ("video",)
    assert diffusion.load(catalogue.find(str(models / "pictures"))).abilities.kinds == ("image",)
    assert diffusion.load(catalogue.find("wan-5b")).abilities.kinds == ("video",)
    name = str(models / "wan")
    assert pipelines.choose("video", None, name, load=load)[0] == name
    assert pipelines.choose("image", None, name, load=load)[0] == "storybook"


# Motion adapters, which add themselves to another model


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "hub" / "hub"


def test_a_motion_adapter_is_added_to_its_model(
    models: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="model 'animatediff' is not here: get it with aigen models pull animatediff"):
        weights.find(catalogue.find("animatediff"))
    tiny_videos.adapter().save_pretrained(tmp_path / "adapter", safe_serialization=True)
    tiny_models.put_in_cache(cache, "guoyww/animatediff-motion-adapter-v1-5-3", tmp_path / "adapter")
    with pytest.raises(UsageError, match=r"model 'sd-1.5' is not here: get it with aigen models pull sd-1.5"):
        weights.find(catalogue.find("animatediff"))
    shutil.copytree(models / "pictures", tmp_path / "base")
    tiny_models.put_in_cache(cache, "stable-diffusion-v1-5/stable-diffusion-v1-5", tmp_path / "base")
    found = weights.find(catalogue.find("animatediff"))
    assert (found.pipeline, "motion_adapter" in found.components) == ("AnimateDiffPipeline", True)

    def frames(name: str) -> Any:
        pipeline = diffusion.load(catalogue.find(name))
        (output,) = pipeline.generate(a_video_task(tmp_path), Listener())
        assert isinstance(output, Output)
        return output, numpy.stack(decoded(output.path))

    output, of_folder = frames("animatediff")
    assert output.parameters["sampler"] == "DDIMScheduler"
    # Lightning is one file, for the usual architecture: here the tiny one.
    monkeypatch.setattr("diffusers.MotionAdapter", tiny_videos.adapter)
    lightning = tmp_path / "lightning"
    lightning.mkdir()
    adapter = cache / "models--guoyww--animatediff-motion-adapter-v1-5-3"
    (file,) = adapter.rglob("*.safetensors")
    shutil.copy(file, lightning / "animatediff_lightning_4step_diffusers.safetensors")
    tiny_models.put_in_cache(cache, "ByteDance/AnimateDiff-Lightning", lightning)
    output, of_file = frames("animatediff-lightning")
    assert output.parameters["sampler"] == "EulerDiscreteScheduler"
    assert of_file.shape == of_folder.shape == (9, 64, 64, 3)


# Whole orders: pictures made for videos


@pytest.fixture
def orders(tmp_path: Path) -> Iterator[Orders]:
    made = Orders(tmp_path / "content")
    with made.store:
        yield made


def a_request(models: Path, **changes: Any) -> Draft:
    usual: dict[str, Any] = {
        "prompt": "a kite", "images": 0, "videos": 2, "seed": 5, "steps": 2, "size": "64x64", "frames": 8, "fps": 8,
    }  # fmt: skip
    return Draft(**usual | changes)


def test_the_model_of_the_images_makes_what_videos_start_from(models: Path, orders: Orders) -> None:
    """All of it before the other model is loaded, so that no two are in memory."""
    request = a_request(models, image_model=str(models / "pictures"), video_model=str(models / "svd"))
    held: list[str] = []

    def look(report: Report) -> None:
        if loading.slot.held:
            held.append(type(loading.slot.held.pipeline).__name__)

    orders.before = look
    order = lifecycle.generate(orders.context, request, "ana")
    assert order.status == "Completed"
    assert list(dict.fromkeys(held)) == ["StableDiffusionPipeline", "StableVideoDiffusionPipeline"]
    assert held == sorted(held)  # the one, then the other, and never back
    assert [len(decoded(path)) for path in orders.files()] == [8, 8]
    told = provenance.read(orders.files()[0])
    assert (told.model, told.parameters["picture_by"], told.parameters["fps"]) == ("svd", "pictures", 8)
    with pytest.raises(UsageError, match="its picture was made by a model in a folder named 'pictures': give"):
        reorder.reorder(told, {"model": str(models / "svd")})
    named = {"video_model": request.video_model, "image_model": request.image_model}
    again = placing.estimate(orders.context, replace(reorder.reorder(told, named), model=None)).request
    assert again == replace(order.request, videos=1, duration=1.0, frames=None)
    whole = "".join(str(value) for path in orders.files() for value in provenance.read(path).parameters.values())
    assert str(models) not in whole
    assert not orders.content.works()


def test_a_model_of_pictures_makes_videos_by_moves_over_them(models: Path, orders: Orders) -> None:
    request = a_request(models, images=1, videos=2, model=str(models / "pictures"))
    order = lifecycle.generate(orders.context, request, "ana")
    assert (order.status, order.request.video_model) == ("Completed", "motion")
    assert "pictures makes no videos: those are slow camera moves over its pictures" in orders.said()
    for path in orders.files():
        frames = decoded(path)
        assert len(frames) == 8
        assert all((one != other).any() for one, other in pairwise(frames))
    first, second = (provenance.read(path) for path in orders.files())
    assert (first.model, first.source_type) == ("motion", "trainedAlgorithmicMedia")
    assert first.parameters["picture_by"] == "pictures"
    assert (first.parameters["move"], second.parameters["move"]) == ("pan", "push in")
    assert first.parameters["steps"] == 2
    expected = [report for report in orders.reports if isinstance(report, Expected)]
    assert [report.kind for report in expected] == ["image", "video"]
    # The picture of a video is told as part of the work on it.
    steps = [report for report in orders.reports if isinstance(report, Step) and report.item.kind == "video"]
    shares = [report.share for report in steps if report.item.number == 1 and report.total]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert "picture: step 1 of 2" in orders.steps()
    assert "frame 8 of 8" in orders.steps()


def test_how_long_videos_took_is_known_to_the_next_order_of_the_same_models(models: Path, orders: Orders) -> None:
    request = a_request(models, videos=1, model=str(models / "pictures"))
    for _ in range(2):
        lifecycle.generate(orders.context, request, "ana")
    assert len([report for report in orders.reports if isinstance(report, Expected)]) == 1
    other = replace(request, model=None, image_model="storybook", video_model="motion", steps=None)
    lifecycle.generate(orders.context, other, "ana")  # drawn pictures take another time


@pytest.mark.parametrize("video_model", ["motion", pytest.param("svd", marks=pytest.mark.system)])
def test_pictures_that_were_made_are_not_made_again_by_resume(models: Path, orders: Orders, video_model: str) -> None:
    """Cancelled by a crash at the second video; the end is as if nothing had been."""
    model = str(models / video_model) if video_model != "motion" else video_model
    request = a_request(models, image_model=str(models / "pictures"), video_model=model)
    text = "frame 3 of 8" if video_model == "motion" else "decoding frame 3 of 8"

    def crash(report: Report) -> None:
        if isinstance(report, Step) and report.item.number == 2 and str(report) == text:
            raise KeyboardInterrupt

    orders.before = crash
    with pytest.raises(Exception, match="interrupted"):
        lifecycle.generate(orders.context, request, "ana")
    (placed,) = orders.store.generations()
    orders.before = lambda report: None
    orders.reports.clear()
    assert lifecycle.resume(orders.context, placed.generation_id).status == "Completed"
    assert [report.item.number for report in orders.reports if isinstance(report, Finished)] == [2]
    assert not [step for step in orders.steps() if step.startswith("picture")]
    undisturbed = Orders(orders.root.parent / "undisturbed")
    with undisturbed.store:
        lifecycle.generate(undisturbed.context, request, "ana")
    for one, other in zip(orders.files(), undisturbed.files(), strict=True):
        assert one.read_bytes() == other.read_bytes()


# A picture of the user's


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    pixels = numpy.linspace(0, 255, 120 * 160 * 3).reshape(120, 160, 3).astype(numpy.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_an_order_starts_from_a_picture_of_the_users(models: Path, orders: Orders, photo: Path) -> None:
    request = a_request(
        models,
        images=1,
        videos=1,
        image_model=str(models / "pictures"),
        video_model=str(models / "ltx"),
        from_picture=True,
        strength=0.5,
    )
    order = lifecycle.generate(orders.context, request, "ana", Attachments(picture=photo))
    assert order.status == "Completed"
    for path in (orders.root / "ana").iterdir():
        told = provenance.read(path)
        assert told.source_type == "compositeWithTrainedAlgorithmicMedia"
    assert not orders.content.works()
    with pytest.raises(UsageError, match="it started from a picture, which is not kept: order it anew"):
        placing.place(orders.context, replace(order.request, seed=None), "ana")


def test_a_picture_of_the_users_is_set_in_motion(models: Path, orders: Orders, photo: Path) -> None:
    request = a_request(models, videos=1, video_model="motion", from_picture=True, steps=None)
    order = lifecycle.generate(orders.context, request, "ana", Attachments(picture=photo))
    assert order.request.image_model is None
    told = provenance.read(orders.files()[0])
    assert (told.source_type, told.parameters["picture_by"]) == ("algorithmicallyEnhanced", "the user")
    with pytest.raises(UsageError, match="it started from a picture of yours, which is not in it: give that"):
        reorder.reorder(told, {})
    assert reorder.reorder(told, {"from_picture": True}).video_model is None
    waiting = placing.place(orders.context, replace(request, seed=9), "ana", Attachments(picture=photo), detached=True)
    (orders.content.work(waiting.generation_id) / "source.png").unlink()
    with pytest.raises(UsageError, match="the picture that it starts from is gone: order it anew"):
        lifecycle.resume(orders.context, waiting.generation_id)


def test_what_cannot_start_from_a_picture_is_refused_and_nothing_is_written(
    models: Path, orders: Orders, photo: Path
) -> None:
    chosen = placing.estimate(orders.context, a_request(models, from_picture=True, steps=None)).request
    assert chosen.video_model == "motion"  # storybook, which else makes them, could not
    request = a_request(models, from_picture=True, steps=None, video_model=str(models / "wan"))
    with pytest.raises(UsageError, match="wan, which makes the videos, cannot start from a picture"):
        lifecycle.generate(orders.context, request, "ana", Attachments(picture=photo))
    broken = photo.with_name("broken.png")
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    request = a_request(models, video_model="motion", from_picture=True, steps=None)
    with pytest.raises(UsageError, match=r"picture 'broken.png' cannot be read"):
        lifecycle.generate(orders.context, request, "ana", Attachments(picture=broken))
    assert orders.store.generations() == []
    assert not orders.content.works()
