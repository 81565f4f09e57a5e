"""Weights become a diffusers pipeline that is ready to run here. One is held at a time, so that memory holds no second.

The process keeps the last one: a worker's next order is mostly of the same model.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aigen.errors import AigenError, GenerationError
from aigen.pipelines import machine, weights
from aigen.pipelines.catalogue import Half, Model, shown
from aigen.pipelines.diffusion import device
from aigen.pipelines.machine import DENOISERS, Setup
from aigen.pipelines.weights import Contents


@dataclass(frozen=True)
class Loaded:
    """A pipeline of diffusers with its weights, and how it is run. `fast`: with a tiny decoder."""

    pipeline: Any
    folder: Path
    setup: Setup
    fast: bool


_held: list[Loaded] = []


def prepare(model: Model, contents: Contents, half: tuple[Half, ...], pixels: int, fast: bool) -> Loaded:
    """The pipeline of a model, as this machine can run it for pictures of so many pixels: the one that is held, else loaded.

    Raises GenerationError.
    """
    for held in _held:
        if (held.folder, held.fast) == (contents.folder, fast):
            device.free_memory(held.setup.device)  # what the last order worked in is not in use
            if setup := machine.choose_again(held.setup, device.see(), pixels):
                return replace(held, setup=setup)
    release()  # before what is free is looked at
    return load(model, contents, machine.choose(device.see(), contents, half, pixels), fast)


def load(model: Model, contents: Contents, setup: Setup, fast: bool) -> Loaded:
    """Load a model instead of the one that is held. Raises GenerationError."""
    release()
    with explained(model, contents.folder, "cannot be loaded", "get it again with aigen models remove and pull"):
        _held.append(Loaded(_load(contents, setup, fast), contents.folder, setup, fast))
    return _held[0]


def release() -> None:
    """Let go of what is held."""
    devices = {loaded.setup.device for loaded in _held}
    _held.clear()
    for each in devices:
        device.free_memory(each)


def recover(loaded: Loaded) -> None:
    """Bring a pipeline back to where a run begins, after one that broke off: diffusers does so only at a run's end."""
    if loaded.setup.offload != "none":
        loaded.pipeline.maybe_free_model_hooks()
    decoder = getattr(loaded.pipeline, "vae", None)
    if decoder is not None and str(decoder.dtype) != f"torch.{loaded.setup.precision}":
        import torch

        decoder.to(dtype=getattr(torch, loaded.setup.precision))  # SDXL decodes in float32 where it knows no bfloat16


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
            pipeline.vae = AutoencoderTiny.from_pretrained(
                weights.tiny_decoder(contents.pipeline), dtype=precision, use_safetensors=True, local_files_only=True
            )
    pipeline.set_progress_bar_config(disable=True)
    if setup.packed:
        _unpack_by_layer(pipeline)
    if setup.device != "cpu":
        torch.set_float32_matmul_precision("high")
    # Convolutions are faster so; those of the large network only on GPUs (benchmarks/RESULTS.md).
    for name in ("vae",) if setup.device == "cpu" else ("vae", "unet"):
        with suppress(AttributeError, RuntimeError):  # there is none, or it is made for more dimensions
            getattr(pipeline, name).to(memory_format=torch.channels_last)
    if setup.offload == "none":
        return pipeline.to(setup.device)
    if setup.offload == "model":
        pipeline.enable_model_cpu_offload(device=setup.device)
    else:
        pipeline.enable_sequential_cpu_offload(device=setup.device)
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
def explained(model: Model, folder: Path, what: str, advice: str) -> Iterator[None]:
    """What libraries say when something goes wrong, as one line that tells nothing of where the model lies."""
    name = shown(model.name)
    try:
        yield
    except AigenError:
        raise
    except Exception as error:
        if device.is_out_of_memory(error):
            raise GenerationError(
                f"not enough memory for {name}: close other programs, or choose a smaller model (aigen models)"
            ) from error
        told = (str(error).strip().splitlines() or [""])[0].replace(str(folder), name)[:200]
        raise GenerationError(
            f"{name} {what} ({type(error).__name__}: {told}): {advice}, or choose another (aigen models)"
        ) from error
