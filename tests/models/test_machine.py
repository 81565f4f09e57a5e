"""How a model is run, decided from figures: a machine of every sort, none of them this one."""

from dataclasses import replace
from pathlib import Path

import pytest

from aigen.errors import GenerationError, UsageError
from aigen.models import catalogue, machine
from aigen.models.machine import Machine, MemoryNeed, Setup
from aigen.models.weights import Contents
from aigen.types.request import Size

GB = 10**9
# Of the size of SDXL, in half precision on disk.
LARGE = Contents(Path("x"), "StableDiffusionXLPipeline", {"unet": {"F16": 5 * GB}, "text_encoder": {"F16": 2 * GB}})
BOTH = ("bfloat16", "float16")
GPU = Machine("cuda", "a GPU", 24 * GB, 23 * GB, 32 * GB, 28 * GB)
LAPTOP = Machine("cpu", "4 cores", 32 * GB, 28 * GB, 32 * GB, 28 * GB, bfloat16_time=0.5)
PIXELS = 1024 * 1024
NEED = MemoryNeed.of_picture(BOTH, PIXELS)


def gpu(free: int) -> Machine:
    return replace(GPU, free=free * GB)


def laptop(free: int, time: float) -> Machine:
    return replace(LAPTOP, free=free * GB, system_free=free * GB, bfloat16_time=time)


def test_a_large_gpu_holds_everything_and_makes_several_at_once() -> None:
    setup = machine.choose(GPU, LARGE, NEED)
    assert (setup.device, setup.precision, setup.offload, setup.layerwise_casting) == (
        "cuda",
        "bfloat16",
        "none",
        False,
    )
    assert setup.batch > 1
    assert "7.0 GB of weights" in setup.reasons[1]


def test_on_a_smaller_gpu_parts_wait_outside() -> None:
    assert machine.choose(gpu(11), LARGE, NEED).offload == "model"
    assert machine.choose(gpu(5), LARGE, NEED).offload == "sequential"
    assert machine.choose(gpu(11), LARGE, NEED).batch == 1


def test_a_gpu_that_cannot_even_work_is_left_alone_and_it_says_so() -> None:
    setup = machine.choose(gpu(2), LARGE, NEED)
    assert setup.device == "cpu"
    assert setup.reasons[0].startswith("the GPU is too small")


def test_the_precision_is_one_that_gpu_and_model_bear() -> None:
    old = replace(GPU, bfloat16=False)
    assert machine.choose(old, LARGE, NEED).precision == "float16"
    assert machine.choose(old, LARGE, MemoryNeed.of_picture(("bfloat16",), PIXELS)).precision == "float32"
    assert machine.choose(GPU, LARGE, NEED).precision == "bfloat16"


def test_apples_memory_is_one_so_nothing_waits_outside() -> None:
    apple = Machine("mps", "Apple GPU", 16 * GB, 9 * GB, 16 * GB, 9 * GB)
    with pytest.raises(GenerationError, match="not enough memory"):
        machine.choose(apple, LARGE, NEED)


def test_weights_that_are_held_are_run_as_before_while_there_is_room_to_work() -> None:
    held = machine.choose(gpu(24), LARGE, MemoryNeed.of_picture(BOTH, 512 * 512))
    beside = gpu(16)  # what is free beside them
    again = machine.choose_again(held, beside, MemoryNeed.of_picture(BOTH, 512 * 512))
    assert again == held
    larger = machine.choose_again(held, beside, MemoryNeed.of_picture(BOTH, 1024 * 1536))
    assert larger
    assert 1 < larger.batch < held.batch
    assert machine.choose_again(held, gpu(1), MemoryNeed.of_picture(BOTH, 2048 * 2048)) is None


def test_a_processor_takes_bfloat16_only_where_it_was_measured_to_pay() -> None:
    assert machine.choose(laptop(28, 0.5), LARGE, NEED).precision == "bfloat16"
    slow = machine.choose(laptop(28, 40.0), LARGE, NEED)
    assert (slow.precision, slow.layerwise_casting, slow.batch) == ("float32", False, 1)
    assert "40 times as long as float32" in slow.reasons[0]


def test_where_memory_is_short_the_large_network_is_cast_by_layer() -> None:
    setup = machine.choose(laptop(15, 40.0), LARGE, NEED)
    assert (setup.precision, setup.layerwise_casting) == ("float32", True)
    with pytest.raises(GenerationError, match=r"not enough memory: .* close other programs .* or choose a smaller"):
        machine.choose(laptop(7, 40.0), LARGE, NEED)


def test_a_model_larger_than_the_machine_is_refused_before_anything_is_written() -> None:
    small = replace(LAPTOP, memory=6 * GB, system_memory=6 * GB)
    with pytest.raises(UsageError, match=r"needs 8.0 GB of memory, this machine has 6.0 GB"):
        machine.check_memory(small, LARGE, "sdxl")
    machine.check_memory(LAPTOP, LARGE, "sdxl")


# Of the size of Wan 2.1 1.3B: its reader of prompts is the largest part, its decoder stays float32.
WAN = Contents(
    Path("x"),
    "WanPipeline",
    {"transformer": {"F32": int(5.7 * GB)}, "text_encoder": {"F32": int(22.7 * GB)}, "vae": {"F32": GB // 2}},
)


def of_wan(frames: int = 81) -> MemoryNeed:
    return MemoryNeed.of_video(("bfloat16",), catalogue.video_architectures()["WanPipeline"], Size(832, 480), frames)


def test_a_video_takes_what_was_measured() -> None:
    need = of_wan()
    assert need.phases
    assert 9 * GB < need.phases["vae"] < 11 * GB  # float32, whatever the rest is
    assert 1.5 * GB < need.phases["transformer"] < 2.5 * GB
    phases = of_wan(161).phases
    assert phases
    assert phases == {**need.phases, **dict.fromkeys(machine.DENOISERS, phases["unet"])}
    assert need.tiled
    assert need.tiled.working < need.working / 3


def test_parts_of_a_model_of_videos_wait_outside_each_while_another_works() -> None:
    roomy = replace(GPU, memory=80 * GB, free=79 * GB, system_memory=64 * GB, system_free=60 * GB)
    assert machine.choose(roomy, WAN, of_wan()).offload == "none"
    assert not machine.choose(roomy, WAN, of_wan()).tiled
    small = machine.choose(replace(roomy, free=16 * GB), WAN, of_wan())
    assert (small.offload, small.tiled) == ("model", False)  # 11.4 to read the prompt, 10.6 to decode
    smaller = machine.choose(replace(roomy, free=8 * GB), WAN, of_wan())
    assert (smaller.offload, smaller.tiled) == ("sequential", True)
    assert "decoded in tiles" in smaller.reasons[-1]


def test_a_held_model_decodes_in_tiles_when_less_is_free() -> None:
    held = Setup("cuda", "bfloat16", ())
    again = machine.choose_again(held, gpu(6), of_wan())
    assert again
    assert again.tiled
    assert machine.choose_again(held, gpu(1), of_wan()) is None


@pytest.mark.parametrize(
    ("name", "here", "told"),
    [
        ("sdxl", GPU, "yes, on the a GPU"),
        ("z-image-turbo", replace(GPU, memory=12 * GB), "yes, but slower"),
        ("flux-schnell", GPU, "no: it needs 34.7 GB"),
        ("sd-turbo", LAPTOP, "yes, without a GPU"),
        ("sdxl", LAPTOP, "only slowly"),
        ("flux-schnell", LAPTOP, "no: it needs"),
        ("wan-1.3b", GPU, "yes, but slower"),
        ("wan-1.3b", LAPTOP, "only slowly: hours a video"),
    ],
)
def test_whether_a_model_fits_is_told_before_it_is_here(name: str, here: Machine, told: str) -> None:
    fits, text = machine.fits(here, catalogue.find(name))
    assert told in text
    assert fits == (not told.startswith("no"))


def test_this_machine_is_seen_without_torch_as_with_it() -> None:
    from aigen.models import device

    without, with_torch = machine.detect_machine(), device.detect_machine()
    if with_torch.device in ("cpu", "mps"):
        assert without.device == with_torch.device
    assert without.system_memory == with_torch.system_memory
    if with_torch.device == "cpu":
        assert with_torch.bfloat16_time


def test_what_a_driver_says_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text('#!/bin/sh\necho "NVIDIA H200, 143771, 143000"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    ask = machine._ask_nvidia.__wrapped__  # of which a process keeps the answer
    assert ask() == ("NVIDIA H200", 143771 * 2**20, 143000 * 2**20)
    program.write_text("#!/bin/sh\nexit 9\n")
    assert ask() is None
