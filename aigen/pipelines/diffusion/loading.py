"""Weights become a diffusers pipeline that is ready to run here. One is held at a time, so that memory holds no second.

The process keeps the last one: a worker's next order is mostly of the same model.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aigen.errors import AigenError
from aigen.models import device, machine, weights
from aigen.models.catalogue import Model, video_architectures
from aigen.models.device import Slot, explained, quietly
from aigen.models.machine import DENOISERS, Device, MemoryNeed, Setup
from aigen.models.weights import Contents


@dataclass(frozen=True)
class Loaded:
    """A pipeline of diffusers with its weights, and how it is run. `fast`: with a tiny decoder."""

    pipeline: Any
    contents: Contents
    setup: Setup
    fast: bool

    @property
    def folder(self) -> Path:
        return self.contents.folder

    @property
    def device(self) -> Device:
        return self.setup.device


slot: Slot[Loaded] = Slot()


def prepare(model: Model, contents: Contents, need: MemoryNeed, fast: bool) -> Loaded:
    """The pipeline of a model, as this machine can run it for what is needed: the one that is held, else loaded.

    Raises GenerationError.
    """
    held = slot.held
    if held and (held.contents, held.fast) == (contents, fast):
        device.free_memory(held.device)  # what the last order worked in is not in use
        if setup := machine.choose_again(held.setup, device.detect_machine(), need):
            return replace(held, setup=setup)
    del held
    slot.release()  # before what is free is looked at
    return load(model, contents, machine.choose(device.detect_machine(), contents, need), fast)


def load(model: Model, contents: Contents, setup: Setup, fast: bool) -> Loaded:
    """Load a model instead of the one that is held. Raises GenerationError."""
    with explained(model.name, contents.folder, "cannot be loaded", "get it again with aigen models remove and pull"):
        return slot.load(lambda: Loaded(_load(contents, model, setup, fast), contents, setup, fast))


def recover(loaded: Loaded) -> None:
    """Bring a pipeline back to where a run begins, after one that broke off: diffusers does so only at a run's end."""
    if loaded.setup.offload != "none":
        loaded.pipeline.maybe_free_model_hooks()
    decoder = getattr(loaded.pipeline, "vae", None)
    precision = "float32" if "vae" in _full(loaded.contents) else loaded.setup.precision
    if decoder is not None and str(decoder.dtype) != f"torch.{precision}":
        import torch

        decoder.to(dtype=getattr(torch, precision))  # SDXL and SVD change it for a while where they know no bfloat16


@contextmanager
def guarded(loaded: Loaded, model: Model) -> Iterator[None]:
    """While a pipeline runs: when that breaks off, it is brought back, or let go of.

    That memory is short is for others to say.
    """
    try:
        yield
    except (AigenError, OSError):  # cancelled; the disk is full
        recover(loaded)
        raise
    except Exception as error:
        if device.is_out_of_memory(error):
            raise
        slot.release()  # whatever state it is in, the next order begins anew
        with explained(model.name, loaded.folder, "failed", "try again"):
            raise


def _full(contents: Contents) -> tuple[str, ...]:
    """The parts of a model that are float32 always."""
    architecture = video_architectures().get(contents.pipeline)
    return architecture.full if architecture else ()


def _load(contents: Contents, model: Model, setup: Setup, fast: bool) -> Any:
    import diffusers
    import torch
    from diffusers import AutoencoderTiny

    precision = getattr(torch, setup.precision)
    parts = {"default": precision} | dict.fromkeys(_full(contents), torch.float32)
    if setup.layerwise_casting:
        parts |= dict.fromkeys(DENOISERS, torch.bfloat16)
    more: dict[str, Any] = {"dtype": parts if len(parts) > 1 else precision, "variant": contents.variant}
    with quietly():
        if contents.adapter:
            more["motion_adapter"] = _load_adapter(contents.adapter, precision)
        # What an adapter adds itself to is of another class.
        maker = getattr(diffusers, contents.pipeline) if contents.adapter else diffusers.DiffusionPipeline
        pipeline: Any = maker.from_pretrained(contents.folder, **more, use_safetensors=True, local_files_only=True)
        if model.scheduler:
            scheduler = getattr(diffusers, model.scheduler["class"])
            rest = {name: value for name, value in model.scheduler.items() if name != "class"}
            pipeline.scheduler = scheduler.from_config(pipeline.scheduler.config, **rest)
        if fast:
            pipeline.vae = AutoencoderTiny.from_pretrained(
                weights.tiny_decoder(contents.pipeline), dtype=precision, use_safetensors=True, local_files_only=True
            )
    pipeline.set_progress_bar_config(disable=True)
    if setup.layerwise_casting:
        _cast_by_layer(pipeline)
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


def _load_adapter(path: Path, precision: Any) -> Any:
    """A motion adapter: a folder, or one file of weights for the usual architecture."""
    from diffusers import MotionAdapter
    from safetensors.torch import load_file

    if path.is_dir():
        variant, _ = weights.choose_weights(sorted(each.name for each in path.iterdir()))
        return MotionAdapter.from_pretrained(
            path, dtype=precision, variant=variant, use_safetensors=True, local_files_only=True
        )
    adapter: Any = MotionAdapter()
    adapter.load_state_dict(load_file(path))
    return adapter.to(precision)


def _cast_by_layer(pipeline: Any) -> None:
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
