"""Networks of transformers from the hub: loading one, and what it finds as detections.

One is held at a time, so that memory holds no second, and the process keeps it: the next picture is mostly for the
same.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aigen.errors import GenerationError
from aigen.models import device
from aigen.models.weights import Contents
from aigen.types.seen import Detection

# Nothing is got from anywhere, and nothing that is not safetensors or that brings code is loaded.
_SAFE = {"local_files_only": True, "trust_remote_code": False}


@dataclass(frozen=True)
class Loaded:
    """A network, what prepares pictures for it and reads its answers, and where it runs."""

    folder: Path
    network: Any
    processor: Any
    device: Literal["cuda", "cpu"]

    def prepare(self, **what: Any) -> Any:
        """What the network takes, of pictures and words."""
        return self.processor(**what, return_tensors="pt").to(self.device, self.network.dtype)


slot: device.Slot[Loaded] = device.Slot()


def prepare(contents: Contents, name: str, reader: str, *, half: bool) -> Loaded:
    """The network that lies in a folder, and what `reader` of transformers prepares for it: the one held, else loaded.

    On a GPU it runs in `half` precision, where its numbers bear that. Raises GenerationError.
    """
    if slot.held and slot.held.folder == contents.folder:
        return slot.held
    with device.explained(name, contents.folder, "cannot be loaded", "get it again with aigen models remove and pull"):
        return slot.load(lambda: _load(contents, name, reader, half))


def _load(contents: Contents, name: str, reader: str, half: bool) -> Loaded:
    import torch
    import transformers

    where: Literal["cuda", "cpu"] = "cuda" if torch.cuda.is_available() else "cpu"
    precision = torch.float16 if half and where == "cuda" else torch.float32
    with device.quietly():
        network, told = getattr(transformers, contents.pipeline).from_pretrained(
            contents.folder,
            dtype=precision,
            variant=contents.variant,
            use_safetensors=True,
            output_loading_info=True,
            **_SAFE,
        )
        processor = getattr(transformers, reader).from_pretrained(contents.folder, **_SAFE)
    missing = set(told["missing_keys"])
    if missing == {"lm_head.weight"}:  # the words that it writes are those that it reads, which some versions forget
        network.lm_head.weight = network.get_input_embeddings().weight
    elif missing:
        raise GenerationError(
            f"{name} cannot be loaded: {len(missing)} of its weights are missing, or named as in another library"
        )
    return Loaded(contents.folder, network.eval().to(where), processor, where)


def detections(found: Iterable[tuple[str, float, Sequence[float]]], width: int, height: int) -> tuple[Detection, ...]:
    """What a network found in a picture of this size, each thing once
    and the surest first, with its box in whole pixels.

    What has no area, or lies outside the picture, is left out.
    """
    best: dict[tuple[str, tuple[int, int, int, int]], float] = {}
    for name, score, (left, top, right, bottom) in found:
        box = (
            *(min(max(round(left), 0), width), min(max(round(top), 0), height)),
            *(min(max(round(right), 0), width), min(max(round(bottom), 0), height)),
        )
        if name and box[0] < box[2] and box[1] < box[3]:
            best[name, box] = max(score, best.get((name, box), 0.0))
    return tuple(
        Detection(name, round(score, 3), box)
        for (name, box), score in sorted(best.items(), key=lambda each: each[1], reverse=True)
    )


@contextmanager
def running(loaded: Loaded, name: str) -> Iterator[None]:
    """While a network looks at a picture: without what only training needs, and with what goes wrong in one line."""
    import torch

    with device.explained(name, loaded.folder, "failed", "try again"), device.quietly(), torch.inference_mode():
        yield
