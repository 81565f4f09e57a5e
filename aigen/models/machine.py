"""What this machine is to a diffusion model, and how one is run on it: device, precision, offload.

`detect_machine` looks without loading torch, for lists and for orders that are only placed; whoever runs a model hands
in what torch sees (`models.device`). `choose` decides, and says why, from figures alone.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from aigen.errors import GenerationError, UsageError
from aigen.models.catalogue import Half, Model, VideoArchitecture
from aigen.models.weights import Contents, is_here
from aigen.types.request import Size
from aigen.wording import spoken_size

Device = Literal["cuda", "mps", "xpu", "cpu"]
Precision = Literal["bfloat16", "float16", "float32"]
Offload = Literal["none", "model", "sequential"]

GB = 1e9
# The large network of a model goes by one of these names.
DENOISERS = ("unet", "transformer", "transformer_2")
# What a model takes beside its weights, in bytes a pixel of one picture (SD-Turbo, bfloat16, measured) and at least.
_WORKING_PER_PIXEL, _WORKING_AT_LEAST = 4000, 1.0 * GB
# Of what is free on a GPU, how much is counted on: others use it too.
_TRUSTED = 0.92
# What a model of videos takes at least, in bytes.
_LEAST = 0.5 * GB
# How much of a frame a tile is, at most.
_TILE = 0.25
# More at once gain little, and the first picture comes later.
_BATCH_LIMIT = 4
# bfloat16 pays on a processor when it takes at most so much of float32's time.
_PAYS = 0.85


@dataclass(frozen=True)
class Machine:
    """`memory` and `free` are the bytes of the GPU, where there is one,
    `system_memory` and `system_free` of the machine.

    `bfloat16` says whether a GPU knows it; `bfloat16_time` how long the processor takes with it, float32 being 1.
    """

    device: Device
    name: str
    memory: int
    free: int
    system_memory: int
    system_free: int
    bfloat16: bool = True
    bfloat16_time: float | None = None


@dataclass(frozen=True)
class Setup:
    """How a model is run, and why. `batch` pictures are made at once, to begin with.

    `layerwise_casting`: its large network is kept in bfloat16, and each layer becomes float32 when it is computed.
    `tiled`: what it makes is decoded piece by piece.
    """

    device: Device
    precision: Precision
    reasons: tuple[str, ...]
    offload: Offload = "none"
    batch: int = 1
    layerwise_casting: bool = False
    tiled: bool = False


class TooLittleMemory(GenerationError):
    """What is wanted of a model does not fit into the memory that is there."""


def detect_machine() -> Machine:
    """This machine, seen without loading torch: a GPU of Nvidia's or Apple's, else its processor.

    Other GPUs are seen only by `models.device`. What is free on a GPU is as it was when this process first looked.
    """
    import psutil

    system = psutil.virtual_memory()
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return Machine("mps", "Apple GPU", system.total, system.available, system.total, system.available)
    if _torch_knows("cuda") and (found := _ask_nvidia()):
        name, memory, free = found
        return Machine("cuda", name, memory, free, system.total, system.available)
    name = f"{os.cpu_count()} cores, no GPU"
    return Machine("cpu", name, system.total, system.available, system.total, system.available)


def count_cores() -> int:
    """Return how many cores this process may use, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _torch_knows(what: str) -> bool:
    """Whether the installed torch was built for a sort of device."""
    spec = find_spec("torch")
    version = Path(spec.origin).with_name("version.py") if spec and spec.origin else None
    if version is None or not version.exists():
        return False
    return bool(re.search(rf"^{what}\b[^=\n]*= *['\"]", version.read_text(encoding="utf-8"), re.MULTILINE))


@cache
def _ask_nvidia() -> tuple[str, int, int] | None:
    """Name, bytes and free bytes of the first GPU of Nvidia's, as its driver says."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    query = [program, "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits", "--id=0"]
    try:
        told = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
        name, memory, free = told.strip().rsplit(", ", 2)
        return name, int(memory) * 2**20, int(free) * 2**20
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


@dataclass(frozen=True)
class MemoryNeed:
    """What a model is to be run for: one item takes `working` bytes beside its weights
    in half precision, `wide` in float32.

    `half` are the half precisions that its numbers bear, `full` its parts that stay float32; at most so many items are
    made `at_once`. `phases` is what each part takes in half precision while the others are out, where that is known;
    `tiled` the need of decoding piece by piece, where that can be done.
    """

    half: tuple[Half, ...]
    working: int
    wide: int
    full: tuple[str, ...] = ()
    at_once: int = 1
    phases: Mapping[str, int] | None = None
    tiled: "MemoryNeed | None" = None

    @classmethod
    def of_picture(cls, half: tuple[Half, ...], pixels: int) -> "MemoryNeed":
        working = int(max(_WORKING_AT_LEAST, pixels * _WORKING_PER_PIXEL))
        return cls(half, working, working, at_once=_BATCH_LIMIT)

    @classmethod
    def of_video(
        cls, half: tuple[Half, ...], architecture: VideoArchitecture, size: Size, frames: int, tile: float = 1.0
    ) -> "MemoryNeed":
        """What videos of this size take; `tile` is the share of a frame that is decoded at a time."""
        pixels = size.width * size.height
        denoising = _LEAST + architecture.denoising * pixels * frames
        decoding = _LEAST + architecture.decoding * pixels * min(architecture.at_a_time or frames, frames) * tile
        narrow = decoding if "vae" in architecture.full else decoding / 2
        phases = {"vae": int(narrow)} | dict.fromkeys(DENOISERS, int(denoising / 2))
        tiled = cls.of_video(half, architecture, size, frames, _TILE) if architecture.tiles and tile == 1.0 else None
        return cls(half, max(phases.values()), int(max(denoising, decoding)), architecture.full, 1, phases, tiled)

    def in_precision(self, precision: Precision) -> int:
        return self.wide if precision == "float32" else self.working

    def beside(self, part: str) -> int:
        """What one part takes in half precision while the others wait outside."""
        return self.working if self.phases is None else self.phases.get(part, int(_LEAST))


def choose(machine: Machine, contents: Contents, need: MemoryNeed) -> Setup:
    """How to run a model on a machine. Raises GenerationError where its memory is too short."""
    if machine.device == "cpu":
        return _choose_for_processor(machine, contents, need)
    precision, reason = _gpu_precision(machine, need.half)
    sizes = contents.bytes_in(_width(precision), need.full)
    weights = sum(sizes.values())
    free = machine.free * _TRUSTED
    waits_outside = machine.device != "mps" and weights <= machine.system_free  # Apple's memory is one
    ways = [each for each in (need, need.tiled) if each]
    fitting: list[tuple[Offload, MemoryNeed]] = []
    for each in ways:
        working = each.in_precision(precision)
        if weights + working <= free:
            fitting.append(("none", each))
        elif waits_outside and max(size + each.beside(name) for name, size in sizes.items()) <= free:
            fitting.append(("model", each))
    if waits_outside:
        fitting += [("sequential", each) for each in ways if each.in_precision(precision) <= free]
    told = (
        f"{spoken_size(weights)} of weights and {spoken_size(need.in_precision(precision))} to work in, "
        f"{spoken_size(machine.free)} free on the GPU"
    )
    if not fitting:
        setup = _choose_for_processor(replace(machine, device="cpu"), contents, need)
        return replace(setup, reasons=(f"the GPU is too small: {told}", *setup.reasons))
    offload, chosen = fitting[0]
    reasons = [reason, f"{'no' if offload == 'none' else offload} offload: {told}"]
    batch = _batch(free - weights, chosen) if offload == "none" else 1
    if chosen is not need:
        reasons.append("decoded in tiles: a whole frame would not fit")
    return Setup(machine.device, precision, tuple(reasons), offload, batch, tiled=chosen is not need)


def choose_again(setup: Setup, machine: Machine, need: MemoryNeed) -> Setup | None:
    """How to run a model whose weights are held as `setup` says; None where what is free beside them is too little."""
    free = machine.system_free if setup.device == "cpu" else machine.free * _TRUSTED
    alone = setup.device == "cpu" or setup.offload != "none"
    for each in filter(None, (need, need.tiled)):
        if each.in_precision(setup.precision) <= free:
            return replace(setup, batch=1 if alone else _batch(free, each), tiled=each is not need)
    return None


def _batch(free: float, need: MemoryNeed) -> int:
    return max(1, min(need.at_once, int(free / need.working)))


def _choose_for_processor(machine: Machine, contents: Contents, need: MemoryNeed) -> Setup:
    half, time = need.half, machine.bfloat16_time
    wide, narrow = contents.bytes_in(4), contents.bytes_in(2, need.full)
    measured = f"takes {time:.2g} times as long as float32 on this processor (measured)" if time else "was not measured"
    alone = "one picture at a time: a processor gains nothing from more"
    if "bfloat16" in half and time is not None and time <= _PAYS:
        setup = Setup("cpu", "bfloat16", (f"bfloat16: {measured}", alone))
        needed = sum(narrow.values())
    else:
        setup = Setup("cpu", "float32", (f"float32: bfloat16 {measured}", alone))
        needed = sum(wide.values())
    halved = sum(narrow[name] if name in DENOISERS else size for name, size in wide.items())
    working = need.in_precision(setup.precision)
    if needed + working > machine.system_free and need.tiled:
        told = "decoded in tiles: a whole frame would not fit"
        setup = replace(setup, reasons=(*setup.reasons, told), tiled=True)
        working = need.tiled.in_precision(setup.precision)
    needed, halved = needed + working, halved + working
    if needed > machine.system_free >= halved and "bfloat16" in half and setup.precision == "float32":
        told = (
            f"kept in bfloat16: else it would take {spoken_size(needed)} of memory, "
            f"{spoken_size(machine.system_free)} are free"
        )
        return replace(setup, layerwise_casting=True, reasons=(*setup.reasons, told))
    if needed > machine.system_free:
        raise TooLittleMemory(
            f"not enough memory: {spoken_size(needed)} are needed and {spoken_size(machine.system_free)} are free: "
            "close other programs (an idle aigen worker keeps its last model for a minute), "
            "or choose a smaller model (aigen models)"
        )
    return setup


def _gpu_precision(machine: Machine, half: tuple[Half, ...]) -> tuple[Precision, str]:
    if machine.bfloat16 and "bfloat16" in half:
        return "bfloat16", f"bfloat16: {machine.name} knows it"
    if "float16" in half:
        return "float16", f"float16: {machine.name} knows no bfloat16"
    return "float32", f"float32: {machine.name} knows no bfloat16, and float16 is too coarse for this model"


def check_memory(machine: Machine, contents: Contents, name: str) -> None:
    """Raise UsageError when a model is larger than all the memory that a machine has."""
    needed = sum(contents.bytes_in(2).values()) + int(_WORKING_AT_LEAST)
    if needed > max(machine.memory, machine.system_memory):
        raise UsageError(
            f"model {name!r} needs {spoken_size(needed)} of memory, this machine has "
            f"{spoken_size(machine.system_memory)}: "
            "choose a smaller one (aigen models)"
        )


def fits(machine: Machine, model: Model) -> tuple[bool, str]:
    """Whether a model of the catalogue can be run on a machine, and how well, before it is here."""
    if model.memory is None:
        return True, "not known before it is here"
    needed = int(model.memory * GB)
    if machine.device != "cpu" and needed <= machine.memory:
        return True, f"yes, on the {machine.name}"
    if machine.device not in ("cpu", "mps") and needed <= machine.system_memory:
        return True, f"yes, but slower: the {machine.name} has {spoken_size(machine.memory)}, so parts wait outside it"
    if needed > machine.system_memory:
        return False, f"no: it needs {spoken_size(needed)} of memory, here are {spoken_size(machine.system_memory)}"
    pace = "minutes a picture" if "image" in model.kinds else "hours a video"
    return True, "yes, without a GPU" if model.light else f"only slowly: {pace} without a GPU"


def installed(models: Iterable[Model]) -> Iterator[Model]:
    """Yield the models that are here and suit this machine: they fit it, and without a GPU they are light."""
    for model in models:
        if is_here(model):
            machine = detect_machine()
            if fits(machine, model)[0] and (machine.device != "cpu" or model.light):
                yield model


def _width(precision: Precision) -> int:
    return 4 if precision == "float32" else 2
