"""Pictures by real diffusers pipelines from tiny random weights, one for each way they are made."""

import errno
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

from aigen import pipelines
from aigen.content import ContentFolder
from aigen.errors import Cancelled, GenerationError, UsageError
from aigen.media import provenance
from aigen.models import catalogue, device, machine, weights
from aigen.models.machine import Machine, Setup
from aigen.orders import lifecycle, placing, reorder
from aigen.orders.context import Context
from aigen.pipelines.diffusion import Pictures, loading, pictures
from aigen.pipelines.diffusion.call import STRENGTH, Call
from aigen.pipelines.prompts import STYLES, styled
from aigen.store import Store
from aigen.types.pipeline import Failure, Output, Task
from aigen.types.reports import Finished, Report, Said, Step
from aigen.types.request import Draft, Options, Size
from aigen.types.seen import ImageDescription
from aigen.types.styles import STYLES as ALL_STYLES
from tests import conftest, tiny_models
from tests.pipelines.diffusion.conftest import WARNINGS
from tests.pipelines.diffusion.tasks import a_task, make
from tests.runs import Listener

pytestmark = WARNINGS

SORTS = ["stable-diffusion", "xl", "flux", "pixart"]
# Of what they have in common, `make test-system` tries the rest.
FEW = ["stable-diffusion", "flux", *(pytest.param(sort, marks=pytest.mark.system) for sort in ("xl", "pixart"))]
GUIDED = ["stable-diffusion", "flux", pytest.param("xl", marks=pytest.mark.system)]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    makers: dict[str, Callable[[Path], object]] = {
        sort: partial(tiny_models.save, sort=sort) for sort in [*SORTS, "checked"]
    }
    makers["tiny"] = tiny_models.save_tiny_decoder
    return conftest.make_once(tmp_path_factory, "models", makers)


def pixels(output: Output | Failure) -> Any:
    assert isinstance(output, Output)
    with Image.open(output.path) as image:
        return numpy.asarray(image.convert("RGB")).astype(int)


def batches_of(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this machine make so many at once; a processor of itself makes one."""
    choose = machine.choose
    monkeypatch.setattr(machine, "choose", lambda *figures: replace(choose(*figures), batch=size))


@pytest.mark.parametrize("sort", FEW)
def test_an_item_is_the_same_in_a_batch_alone_and_after_a_resume(
    models: Path, tmp_path: Path, sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = [pixels(output) for output in make(models / sort, a_task(tmp_path, 3))]
    assert numpy.abs(alone[0] - alone[1]).mean() > 1
    (third,) = make(models / sort, a_task(tmp_path, numbers=(3,), seeds=(9,)))
    assert numpy.array_equal(pixels(third), alone[2])
    batches_of(3, monkeypatch)
    for one, other in zip(make(models / sort, a_task(tmp_path, 3)), alone, strict=True):
        assert numpy.abs(pixels(one) - other).max() <= 2


@pytest.mark.parametrize("sort", SORTS)
def test_our_path_gives_what_a_bare_call_of_diffusers_gives(models: Path, tmp_path: Path, sort: str) -> None:
    from diffusers import DiffusionPipeline

    (ours,) = make(models / sort, a_task(tmp_path, options=Options(steps=2, guidance=3.0)))
    pipeline = DiffusionPipeline.from_pretrained(models / sort, use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    bare = pipeline(
        "a red kite",
        num_inference_steps=2,
        guidance_scale=3.0,
        width=64,
        height=64,
        generator=torch.Generator("cpu").manual_seed(7),
    ).images[0]
    assert numpy.abs(pixels(ours) - numpy.asarray(bare).astype(int)).max() <= 2


@pytest.mark.parametrize("sort", GUIDED)
def test_a_guide_is_a_picture_by_storybook_to_start_from(models: Path, tmp_path: Path, sort: str) -> None:
    plain, weak, strong = (
        pixels(make(models / sort, a_task(tmp_path, options=options))[0])
        for options in (
            Options(steps=4),
            Options(steps=4, guide="storybook", strength=0.3),
            Options(steps=4, guide="storybook", strength=1.0),
        )
    )
    assert numpy.abs(plain - weak).mean() > 2
    assert numpy.abs(weak - strong).mean() > 2


def test_a_guide_takes_enough_steps_and_says_what_it_did(models: Path, tmp_path: Path) -> None:
    listener = Listener()
    task = a_task(tmp_path, 2, options=Options(steps=1, guide="storybook"))
    made = make(models / "stable-diffusion", task, listener)
    assert "drawing the guide…" in listener.steps
    for output in made:
        assert isinstance(output, Output)
        assert output.parameters["steps"] == 2
        assert (output.parameters["guide"], output.parameters["strength"]) == ("storybook", STRENGTH)


def test_progress_tells_loading_steps_and_decoding(models: Path, tmp_path: Path) -> None:
    listener = Listener()
    make(models / "stable-diffusion", a_task(tmp_path, options=Options(steps=3)), listener)
    assert listener.steps == [
        "loading stable-diffusion…",
        "reading the prompt…",
        "step 1 of 3",
        "step 2 of 3",
        "decoding…",
    ]


def test_the_weights_are_loaded_once_and_let_go_for_another_model(models: Path, tmp_path: Path) -> None:
    make(models / "xl", a_task(tmp_path, 2))
    first = loading.slot.held
    assert first
    make(models / "xl", a_task(tmp_path, prompt="another order"))
    assert loading.slot.held is first
    make(models / "flux", a_task(tmp_path))
    second = loading.slot.held
    assert second
    assert type(second.pipeline).__name__ == "FluxPipeline"
    pipelines.release()
    assert loading.slot.held is None


def test_what_is_held_does_not_count_against_the_next_order_of_it(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that has just room for one: while the weights are held, less is free than loading them would need."""
    make(models / "xl", a_task(tmp_path))
    room = machine.MemoryNeed.of_picture((), 64 * 64).working + 1000
    seen = replace(device.detect_machine(), free=room, system_free=room)
    monkeypatch.setattr(device, "detect_machine", lambda: seen)
    assert len(make(models / "xl", a_task(tmp_path))) == 1
    with pytest.raises(GenerationError, match="not enough memory"):
        make(models / "flux", a_task(tmp_path))
    assert loading.slot.held is None


def test_an_unlisted_model_makes_its_own_size_in_its_own_number_of_steps(models: Path, tmp_path: Path) -> None:
    pipeline = Pictures(catalogue.find(str(models / "stable-diffusion")))
    assert pipeline.abilities.sizes["image"] == Size(64, 64)
    assert Pictures(catalogue.find(str(models / "flux"))).abilities.sizes["image"] == Size(1024, 1024)
    assert Pictures(catalogue.find("sdxl")).abilities.sizes["image"] == Size(1024, 1024)
    loaded = load(models / "stable-diffusion")
    for options in (Options(), Options(guide="storybook")):
        order = Call.of(loaded, pipeline.model, a_task(tmp_path, options=options), 32)
        assert (order.steps, order.guidance) == (50, 7.5)


def test_a_picture_has_the_size_that_was_asked_for(models: Path, tmp_path: Path) -> None:
    (output,) = make(models / "stable-diffusion", a_task(tmp_path, size=Size(100, 50)))
    assert pixels(output).shape == (50, 100, 3)


def test_what_made_a_picture_is_told(models: Path, tmp_path: Path) -> None:
    options = Options(steps=2, guidance=4.5, negative="blurry")
    (output,) = make(models / "stable-diffusion", a_task(tmp_path, options=options))
    assert isinstance(output, Output)
    assert output.source_type == "trainedAlgorithmicMedia"
    expected = {"steps": 2, "guidance": 4.5, "negative_prompt": "blurry", "sampler": "EulerDiscreteScheduler"}
    assert output.parameters == expected | {"precision": "float32", "source": "a folder"}


def test_a_negative_prompt_changes_the_picture_where_it_is_heeded(models: Path, tmp_path: Path) -> None:
    def made(sort: str, options: Options, listener: Listener | None = None) -> Any:
        return pixels(make(models / sort, a_task(tmp_path, options=options), listener)[0])

    with_it = Options(steps=2, guidance=5.0, negative="blurry, ugly")
    assert not numpy.array_equal(made("xl", with_it), made("xl", replace(with_it, negative=None)))
    listener = Listener()
    without_guidance = replace(with_it, guidance=0.0)
    assert numpy.array_equal(
        made("xl", without_guidance, listener), made("xl", replace(without_guidance, negative=None))
    )
    assert listener.said == ["xl heeds no negative prompt at guidance 0: give --guidance above 1"]
    listener = Listener()
    made("flux", with_it, listener)
    assert listener.said == ["flux heeds no negative prompt"]


def test_what_a_long_prompt_loses_is_told(models: Path, tmp_path: Path) -> None:
    listener = Listener()
    make(models / "stable-diffusion", a_task(tmp_path, prompt=f"{'kite ' * 20}and zzz"), listener)
    (told,) = listener.said
    assert "reads only the first words" in told
    assert "z z z" in told or "zzz" in told


def test_what_the_safety_checker_takes_away_is_no_picture(models: Path, tmp_path: Path) -> None:
    made = make(models / "checked", a_task(tmp_path, 2))
    assert [output.seed for output in made] == [7, 8]
    for output in made:
        assert isinstance(output, Failure)
        assert output.error.startswith("the safety checker of checked took it away: change the prompt")
    assert not list((tmp_path / "work").glob("*.png"))


def test_an_order_is_cancelled_at_the_next_step(models: Path, tmp_path: Path) -> None:
    def cancel(text: str) -> None:
        if text.startswith("step 2"):
            raise Cancelled("enough")

    listener = Listener(before_step=cancel)
    with pytest.raises(Cancelled):
        make(models / "xl", a_task(tmp_path, options=Options(steps=9)), listener)
    assert listener.steps[-1] == "step 2 of 9"
    assert len(make(models / "xl", a_task(tmp_path))) == 1  # what is held still works


# Too little memory: that is the edge of this world, so the network says it instead of the machine.


def short_of_memory(loaded: loading.Loaded, monkeypatch: pytest.MonkeyPatch, limit: int) -> list[int]:
    """Have the network fail for more than so many pictures at once; the batches that were tried."""
    tried: list[int] = []
    network = loaded.pipeline.unet
    forward = network.forward

    def limited(sample: torch.Tensor, *arguments: Any, **more: Any) -> Any:
        tried.append(len(sample))
        if len(sample) > limit:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return forward(sample, *arguments, **more)

    monkeypatch.setattr(network, "forward", limited)
    return tried


def load(model: Path, batch: int = 1, fast: bool = False) -> loading.Loaded:
    found = catalogue.find(str(model))
    return loading.load(found, weights.find(found), Setup("cpu", "float32", (), batch=batch), fast)


def test_on_too_little_memory_fewer_are_made_at_once_and_it_says_so(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, listener = load(models / "stable-diffusion", batch=4), Listener()
    task = a_task(tmp_path, 5, options=Options(steps=1, guidance=0.0))
    tried = short_of_memory(loaded, monkeypatch, 1)
    made = list(pictures.make(loaded, catalogue.find(str(models / "stable-diffusion")), task, listener))
    assert [output.seed for output in made] == [7, 8, 9, 10, 11]
    assert all(isinstance(output, Output) for output in made)
    assert tried == [4, 2, 1, 1, 1, 1, 1]
    assert listener.said == [
        "not enough memory for 4 pictures at once: stable-diffusion makes 2 at a time",
        "not enough memory for 2 pictures at once: stable-diffusion makes one at a time",
    ]


def test_where_not_even_one_can_be_made_it_says_what_to_do(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, listener = load(models / "stable-diffusion"), Listener()
    short_of_memory(loaded, monkeypatch, 0)
    assert not loaded.pipeline.vae.use_tiling
    with pytest.raises(GenerationError, match=r"not enough memory for one picture of 64x64: give a smaller --size"):
        list(pictures.make(loaded, catalogue.find(str(models / "stable-diffusion")), a_task(tmp_path), listener))
    assert listener.said == ["not enough memory for 64x64 as a whole: stable-diffusion decodes it in tiles"]
    assert not loaded.pipeline.vae.use_tiling  # the next order may have smaller pictures


def test_a_full_disk_is_left_to_the_order(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which it interrupts, instead of failing it."""

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr("aigen.media.encoding.save_png", full)
    with pytest.raises(OSError, match="no space left"):
        make(models / "stable-diffusion", a_task(tmp_path))


def test_what_fails_while_it_runs_is_one_line_and_the_next_order_begins_anew(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load(models / "stable-diffusion")

    def break_down(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"CUDA error: an illegal access in {models / 'stable-diffusion'}\nand more\nlines")

    monkeypatch.setattr(loaded.pipeline.unet, "forward", break_down)
    with pytest.raises(GenerationError, match=r"^stable-diffusion failed ") as failed:
        make(models / "stable-diffusion", a_task(tmp_path))
    assert "\n" not in str(failed.value)
    assert str(models) not in str(failed.value)
    assert len(make(models / "stable-diffusion", a_task(tmp_path))) == 1


def test_what_torch_says_of_memory_is_understood() -> None:
    assert device.is_out_of_memory(torch.OutOfMemoryError("x"))
    assert device.is_out_of_memory(MemoryError())
    assert device.is_out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"))
    assert device.is_out_of_memory(RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"))
    assert device.is_out_of_memory(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"))
    assert not device.is_out_of_memory(RuntimeError("shapes differ"))
    assert not device.is_out_of_memory(ValueError("out of memory"))


@pytest.mark.parametrize("sort", ["stable-diffusion", pytest.param("flux", marks=pytest.mark.system)])
def test_a_network_cast_by_layer_makes_nearly_the_same_picture(models: Path, tmp_path: Path, sort: str) -> None:
    model = catalogue.find(str(models / sort))
    contents = weights.find(model)

    def made(casting: bool, seed: int = 7) -> Any:
        loaded = loading.load(model, contents, Setup("cpu", "float32", (), layerwise_casting=casting), False)
        kinds = {parameter.dtype for parameter in getattr(loaded.pipeline, denoiser(loaded)).parameters()}
        assert (torch.bfloat16 in kinds) == casting
        return pixels(next(iter(pictures.make(loaded, model, a_task(tmp_path, seeds=(seed,)), Listener()))))

    other = numpy.abs(made(False, seed=8) - made(False)).mean()
    assert numpy.abs(made(True) - made(False)).mean() < other / 5


def denoiser(loaded: loading.Loaded) -> str:
    return next(name for name in machine.DENOISERS if hasattr(loaded.pipeline, name))


@pytest.mark.parametrize("sort", ["stable-diffusion", pytest.param("xl", marks=pytest.mark.system)])
def test_bfloat16_makes_nearly_the_same_picture(models: Path, tmp_path: Path, sort: str) -> None:
    model = catalogue.find(str(models / sort))
    contents = weights.find(model)

    def made(precision: machine.Precision, seed: int = 7) -> Any:
        loaded = loading.load(model, contents, Setup("cpu", precision, ()), False)
        return pixels(next(iter(pictures.make(loaded, model, a_task(tmp_path, seeds=(seed,)), Listener()))))

    other = numpy.abs(made("float32", seed=8) - made("float32")).mean()
    assert numpy.abs(made("float32") - made("bfloat16")).mean() < other / 4


# What is not there, and what is wrong


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "hub" / "hub"


def test_a_model_in_the_hubs_cache_goes_by_its_short_name(models: Path, tmp_path: Path, cache: Path) -> None:
    shutil.copytree(models / "stable-diffusion", tmp_path / "copy")
    shutil.copytree(models / "tiny", tmp_path / "tiny")
    tiny_models.put_in_cache(cache, "stabilityai/sd-turbo", tmp_path / "copy")
    pipeline = Pictures(catalogue.find("sd-turbo"))
    with pytest.raises(UsageError, match=r"--fast needs the tiny decoder .* aigen models pull madebyollin/taesd"):
        pipeline.check(a_task(tmp_path, options=Options(fast=True)))
    tiny_models.put_in_cache(cache, "madebyollin/taesd", tmp_path / "tiny")
    pipeline.check(a_task(tmp_path, options=Options(fast=True)))
    assert list(pipelines.offered(conftest.load)) == ["storybook", "sd-turbo"]
    assert pipelines.choose("image", None, load=conftest.load)[0] == "sd-turbo"
    assert pipelines.choose("video", None, load=conftest.load)[0] == "motion"
    full, fast = (
        next(iter(pipeline.generate(a_task(tmp_path, options=Options(steps=1, fast=each)), Listener())))
        for each in (False, True)
    )
    assert isinstance(fast, Output)
    assert fast.parameters["fast"] is True
    assert pixels(fast).shape == (64, 64, 3)
    assert isinstance(full, Output)


def test_a_model_that_cannot_start_from_a_picture_takes_no_guide(models: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="pixart cannot start from a picture"):
        Pictures(catalogue.find(str(models / "pixart"))).check(a_task(tmp_path, options=Options(guide="storybook")))


def test_a_pipeline_that_makes_no_pictures_is_refused(models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "sound"
    shutil.copytree(models / "stable-diffusion", folder)
    tiny_models.write_index(folder, _class_name="AudioLDMPipeline")
    with pytest.raises(UsageError, match="holds a AudioLDMPipeline, which makes no images"):
        Pictures(catalogue.find(str(folder))).check(a_task(tmp_path))


def test_weights_that_do_not_fit_their_configuration_are_one_clear_line(models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "wrong"
    shutil.copytree(models / "stable-diffusion", folder)
    shutil.copy(models / "xl" / "unet" / "config.json", folder / "unet" / "config.json")
    with pytest.raises(GenerationError, match=r"^wrong cannot be loaded \(\w+: .*") as refused:
        make(folder, a_task(tmp_path))
    assert "\n" not in str(refused.value)


def test_a_model_that_is_gone_when_its_turn_comes_fails_the_order(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="'sd-turbo' is not here: get it with aigen models pull sd-turbo"):
        list(Pictures(catalogue.find("sd-turbo")).generate(a_task(tmp_path), Listener()))


def test_where_a_model_lay_is_told_to_nobody_else(models: Path, tmp_path: Path) -> None:
    """A folder that has gone when its order is resumed: the order's error is on web pages and in mails."""
    folder = tmp_path / "private" / "mine"
    shutil.copytree(models / "xl", folder)
    content = ContentFolder(tmp_path / "content")
    with Store.open(content, create=True) as store:
        request = Draft(prompt="a kite", images=1, videos=0, steps=1, size="64x64", model=str(folder))
        order = placing.place(Context(content, store), request, "ana", detached=True)
        shutil.rmtree(folder)
        with pytest.raises(GenerationError, match="model 'mine' is not there: no such folder"):
            lifecycle.resume(Context(content, store), order.generation_id)
        failed = store.generation(order.generation_id)
    assert failed
    assert failed.error
    assert "private" not in failed.error


# A whole order


def test_an_order_is_resumed_with_the_same_pictures(models: Path, tmp_path: Path) -> None:
    """Cancelled half way through the second of three, then resumed: as if nothing had been."""
    request = Draft(prompt="a kite", images=3, videos=0, seed=5, steps=2, size="64x64", model=str(models / "xl"))

    def order(folder: str, report: Callable[[Report], None]) -> tuple[ContentFolder, Store]:
        content = ContentFolder(tmp_path / folder)
        store = Store.open(content, create=True)
        with store:
            context = Context(content, store, report)
            try:
                placed = lifecycle.generate(context, request, "ana")
            except KeyboardInterrupt:
                raise AssertionError from None
            except Exception:
                placed = store.generations()[0]
                placed = lifecycle.resume(replace(context, report=lambda report: None), placed.generation_id)
            assert placed.status == "Completed"
        return content, store

    said: list[str] = []
    finished: list[int] = []

    def interrupt(report: Report) -> None:
        if isinstance(report, Said):
            said.append(report.text)
        if isinstance(report, Finished):
            finished.append(report.item.number)
        if isinstance(report, Step) and report.item.number == 2 and str(report) == "step 1 of 2":
            raise RuntimeError("the power went")

    order("undisturbed", lambda report: None)
    order("disturbed", interrupt)
    assert finished == [1]
    for number in (1, 2, 3):
        one, other = (
            next((tmp_path / folder / "ana").glob(f"*-image-{number}.png")) for folder in ("undisturbed", "disturbed")
        )
        assert one.read_bytes() == other.read_bytes()
    told = provenance.read(one)
    assert (told.model, told.source_type) == ("xl", "trainedAlgorithmicMedia")
    assert told.parameters["steps"] == 2
    with pytest.raises(UsageError, match="made by a model in a folder named 'xl': give that folder with --model"):
        reorder.reorder(told, {})
    again = reorder.reorder(told, {"model": str(models / "xl")})
    assert (again.steps, again.model, again.seed) == (2, str(models / "xl"), 7)
    assert str(tmp_path) not in one.read_bytes().decode("latin-1")


def test_every_style_has_its_words() -> None:
    assert set(STYLES) == set(ALL_STYLES)
    assert styled("a red kite.", "watercolour") == "watercolour painting of a red kite, soft washes, paper texture"
    assert styled("a red kite", "plain") == "a red kite"


def test_this_machine_is_seen() -> None:
    seen = device.detect_machine()
    assert isinstance(seen, Machine)
    assert seen.system_memory >= seen.system_free > 0


def test_what_is_seen_in_a_picture_and_the_style_in_turn_are_part_of_the_prompt(tmp_path: Path) -> None:
    seen = ImageDescription(width=40, height=30, caption="two people in front of a bus")
    task = Task(
        kind="image", prompt="at night.", style="plain", numbers=(1, 2), seeds=(1, 2), size=Size(64, 64), work=tmp_path,
        seen=seen, styles=("plain", "dramatic"),
    )  # fmt: skip
    loaded: Any = None  # which a prompt does not ask
    call = Call(loaded, catalogue.find("sd-turbo"), task, 2, 0.0, task.size)
    together = "at night, two people in front of a bus"
    assert [call.prompt(number) for number in (1, 2, 3)] == [together, styled(together, "dramatic"), together]
    alone = replace(call, task=replace(task, prompt=seen.caption))
    assert alone.prompt(1) == seen.caption
