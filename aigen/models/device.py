"""What torch sees of this machine, freeing what it holds, and what its libraries print and raise."""

import gc
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Generic, Protocol, TypeVar

from aigen.errors import AigenError, GenerationError
from aigen.models.catalogue import display_name
from aigen.models.machine import Device, Machine

# Of processors, Apple's GPUs, the libraries of Nvidia's, and Intel's.
_SAYS_OUT_OF_MEMORY = (
    "out of memory", "can't allocate memory", "not enough memory", "_status_alloc_failed", "out_of_device_memory",
    "out_of_resources",
)  # fmt: skip


def detect_machine() -> Machine:
    """This machine as torch sees it: the GPU it can use, if any, and how well its processor does bfloat16."""
    import psutil
    import torch

    system = psutil.virtual_memory()
    memory = (system.total, system.available)
    time = bfloat16_time()
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        knows = torch.cuda.is_bf16_supported(False)
        return Machine("cuda", torch.cuda.get_device_name(), total, free, *memory, knows, time)
    if torch.xpu.is_available():
        name, total = torch.xpu.get_device_name(), torch.xpu.get_device_properties().total_memory
        return Machine("xpu", name, total, total - torch.xpu.memory_allocated(), *memory, True, time)
    if torch.backends.mps.is_available():
        knows = torch.backends.mps.is_macos_or_newer(14, 0)
        return Machine("mps", "Apple GPU", *memory, *memory, knows, time)
    return Machine("cpu", f"{torch.get_num_threads()} cores", *memory, *memory, True, time)


@cache
def bfloat16_time() -> float:
    """How long this processor takes to multiply matrices in bfloat16, in float32's time:
    measured in a fifth of a second.

    Not looked up: which instructions there are says little of how well a build of torch uses them. Without any it takes
    a hundred times as long, which small matrices show.
    """
    small = _bfloat16_time(192, 12)
    return small if small > 3 else _bfloat16_time(512, 6)


def _bfloat16_time(side: int, times: int) -> float:
    import torch

    def shortest(kind: torch.dtype) -> float:
        left, right = (torch.ones(side, side, dtype=kind) for _ in range(2))
        took = []
        for _ in range(times):
            start = perf_counter()
            torch.mm(left, right)
            took.append(perf_counter() - start)
        return min(took)

    return shortest(torch.bfloat16) / shortest(torch.float32)


def free_memory(device: Device) -> None:
    """Give back what nobody holds any more."""
    import torch

    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()
    elif device == "xpu":
        torch.xpu.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()


class OnDevice(Protocol):
    """Weights that were loaded, and the device that they lie on."""

    @property
    def device(self) -> Device: ...


Held = TypeVar("Held", bound=OnDevice)


class Slot(Generic[Held]):
    """Room for one set of weights, so that memory holds no second; the process keeps it for the next task."""

    held: Held | None = None

    def load(self, load: Callable[[], Held]) -> Held:
        """Load weights in place of those that are held."""
        self.release()
        self.held = load()
        return self.held

    def release(self) -> None:
        """Let go of what is held."""
        if self.held is not None:
            device = self.held.device
            self.held = None
            free_memory(device)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is short; on processors and Apple's GPUs torch has no class for it."""
    import torch

    told = isinstance(error, RuntimeError) and any(part in str(error).lower() for part in _SAYS_OUT_OF_MEMORY)
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or told


@contextmanager
def quietly() -> Iterator[None]:
    """Without the bars, hints and warnings that diffusers and transformers print: what matters we say ourselves."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    for logging in (diffusers_logging, transformers_logging):
        logging.set_verbosity_error()
        logging.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def explained(name: str, folder: Path, what: str, advice: str) -> Iterator[None]:
    """What libraries say when something goes wrong, as one line that tells nothing of where the model lies."""
    name = display_name(name)
    try:
        yield
    except AigenError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise GenerationError(
                f"not enough memory for {name}: close other programs, or choose a smaller model (aigen models)"
            ) from error
        told = (str(error).strip().splitlines() or [""])[0].replace(str(folder), name)[:200]
        raise GenerationError(
            f"{name} {what} ({type(error).__name__}: {told}): {advice}, or choose another (aigen models)"
        ) from error
