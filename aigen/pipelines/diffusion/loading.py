"""Weights become a diffusers pipeline that is ready to run here. One is held at a time, so that memory holds no second.

The process keeps the last one: an order's videos need it after its images, and a worker's next order mostly the same.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from aigen.errors import GenerationError
from aigen.pipelines import weights
from aigen.pipelines.catalogue import Model, shown
from aigen.pipelines.diffusion import device
from aigen.pipelines.machine import DENOISERS, Setup
from aigen.pipelines.weights import Contents


@dataclass(frozen=True)
class Loaded:
    """A pipeline of diffusers with its weights, and how it is run."""

    pipeline: Any
    setup: Setup
    fast: bool


_held: dict[tuple[object, ...], Loaded] = {}


def load(model: Model, contents: Contents, setup: Setup, fast: bool) -> Loaded:
    """The pipeline of a model: the one that is held, else it is loaded. Raises GenerationError."""
    key = (contents.folder, setup.device, setup.precision, setup.packed, setup.offload, fast)
    if key not in _held:
        release()
        with explained(model):
            _held[key] = Loaded(_load(contents, setup, fast), setup, fast)
    return _held[key]


def release() -> None:
    """Let go of what is held."""
    devices = {loaded.setup.device for loaded in _held.values()}
    _held.clear()
    for each in devices:
        device.free_memory(each)


def _load(contents: Contents, setup: Setup, fast: bool) -> Any:
    import torch
    from diffusers import AutoencoderTiny, DiffusionPipeline

    precision = getattr(torch, setup.precision)
    parts = {"default": precision} | dict.fromkeys(DENOISERS, torch.bfloat16) if setup.packed else precision
    with quietly():
        pipeline: Any = DiffusionPipeline.from_pretrained(
            contents.folder,
            dtype=parts,
            variant=contents.variant,
            use_safetensors=True,
            local_files_only=True,
        )
        if fast:
            tiny = weights.tiny_decoder(contents.pipeline)
            pipeline.vae = AutoencoderTiny.from_pretrained(tiny, dtype=precision, local_files_only=True)
    if setup.packed:
        _unpack_by_layer(pipeline)
    pipeline.set_progress_bar_config(disable=True)
    # Convolutions are faster so; of the large network only on GPUs (benchmarks/RESULTS.md).
    pipeline.vae.to(memory_format=torch.channels_last)
    if setup.device != "cpu":
        torch.set_float32_matmul_precision("high")
        if hasattr(pipeline, "unet"):
            pipeline.unet.to(memory_format=torch.channels_last)
    if setup.offload == "none":
        return pipeline.to(setup.device)
    offload = {
        "model": pipeline.enable_model_cpu_offload,
        "sequential": pipeline.enable_sequential_cpu_offload,
    }[setup.offload]
    partial(offload, device=setup.device)()
    return pipeline


def _unpack_by_layer(pipeline: Any) -> None:
    """Have the layers of the large network become float32 only while each is computed; what is no layer stays so."""
    import torch
    from diffusers.hooks.layerwise_casting import apply_layerwise_casting

    for name in DENOISERS:
        if network := getattr(pipeline, name, None):
            apply_layerwise_casting(network, torch.bfloat16, torch.float32, skip_modules_pattern=())
            for module in network.modules():
                if not hasattr(module, "_diffusers_hook"):
                    for parameter in module.parameters(recurse=False):
                        parameter.data = parameter.data.float()


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
def explained(model: Model) -> Iterator[None]:
    """What libraries say when something is wrong with weights, as one line."""
    try:
        yield
    except GenerationError:
        raise
    except (OSError, ValueError, RuntimeError, ImportError, KeyError, TypeError, AttributeError, MemoryError) as error:
        if device.is_out_of_memory(error):
            raise GenerationError(
                f"not enough memory for {shown(model.name)}: close other programs, or choose a smaller model (aigen models)"
            ) from error
        first = (str(error).strip().splitlines() or [""])[0]
        raise GenerationError(
            f"{shown(model.name)} cannot be loaded ({type(error).__name__}: {first[:200]}): get it again with aigen models "
            "remove and pull, or choose another (aigen models)"
        ) from error
