"""Where the weights of models lie, and whether they are whole and safe to load.

Models from the hub lie where every program that uses `huggingface_hub` keeps them (HF_HOME), so that one download
serves all. Only safetensors are ever loaded: a pickle can run code. What is here is judged from the files' own headers;
nothing in this module loads torch or talks to a network (`downloads` does).
"""

import json
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from aigen.errors import UsageError
from aigen.models import catalogue
from aigen.models.catalogue import Model

# Weights that are never loaded.
PICKLES = ("*.bin", "*.ckpt", "*.pt", "*.pth", "*.pkl")
ONLY_PICKLES = (
    "as a pickle only, which could run code: only safetensors are loaded; look for a repository that has them"
)
# The classes of transformers that see, and what belongs to such a model besides its weights.
SEEING = {
    "Florence2ForConditionalGeneration": ("processor_config.json", "tokenizer.json"),
    "DFineForObjectDetection": ("preprocessor_config.json",),
}
# In the names of files in half precision, preferred in this order; none: there is but one precision.
_VARIANTS = ("fp16", "bf16", None)
_HEADER_LIMIT = 100_000_000


@dataclass(frozen=True)
class Contents:
    """What a model's folder holds: the diffusers pipeline it is for, and the bytes of each component by data type.

    A model that sees is one component for a class of transformers.

    `variant`: its half precision files are named with it (`fp16`), beside those in full. `index` is what it says of
    itself. `adapter`: where the motion adapter lies that is added to it.
    """

    folder: Path
    pipeline: str
    components: dict[str, dict[str, int]] = field(default_factory=dict)
    variant: str | None = None
    index: dict[str, Any] = field(default_factory=dict)
    adapter: Path | None = None

    def bytes_in(self, width: int, full: Iterable[str] = ()) -> dict[str, int]:
        """The bytes of each component when every number takes `width` of them,
        but 4 in those that are kept in `full`.
        """

        def count(name: str, sizes: Mapping[str, int]) -> int:
            wide = 4 if name in full else width
            return sum(size // _WIDTHS.get(precision, wide) * wide for precision, size in sizes.items())

        return {name: count(name, sizes) for name, sizes in self.components.items()}

    @property
    def side(self) -> int:
        """The side in pixels that the model was made for, as far as its files tell: Stable Diffusion's, else 1024."""
        found = (read_json(self.folder / "unet" / "config.json") or {}).get("sample_size")
        return found * 8 if isinstance(found, int) else 1024


_WIDTHS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4}


def locate(model: Model) -> Path | None:
    """The folder of a model, if it is here: its own, or the newest snapshot in the hub's cache."""
    return model.folder or (snapshot(model.hub) if model.hub else None)


def snapshot(hub: str) -> Path | None:
    """The folder in the hub's cache that holds a repository, as it was last pulled."""
    try:
        revision = (cached(hub) / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    folder = cached(hub) / "snapshots" / revision
    return folder if revision.isalnum() and folder.is_dir() else None


def cached(hub: str) -> Path:
    """The folder of a repository in the hub's cache, whether it is there or not."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE) / f"models--{hub.replace('/', '--')}"


def others() -> list[Model]:
    """Models and tiny decoders in the hub's cache that the catalogue does not list."""
    from huggingface_hub.constants import HF_HUB_CACHE

    known = {model.hub for model in (catalogue.models() | catalogue.seeing()).values()}
    names = [path.name.split("--", 2)[1:] for path in sorted(Path(HF_HUB_CACHE).glob("models--*--*"))]
    found = [Model(name=hub, title=hub, hub=hub) for hub in map("/".join, names) if hub not in known]
    return [model for model in found if model.hub in catalogue.tiny_decoders() or is_here(model)]


def is_here(model: Model) -> bool:
    """Whether a model is here and whole."""
    try:
        find(model)
    except UsageError:
        return False
    return True


def find(model: Model) -> Contents:
    """What is here of a model.

    Raises UsageError, with what to do, when it is not here, not whole, or not safe to load.
    """
    folder = locate(model)
    if folder is None:
        size = f" ({model.download:g} GB)" if model.download else ""
        raise UsageError(f"model {model.name!r} is not here: get it with aigen models pull {model.name}{size}")
    return _adapted(folder, model) if model.base else examine(folder, model)


def _adapted(folder: Path, model: Model) -> Contents:
    """What is here of a motion adapter and of the model that it adds itself to."""
    assert model.base
    assert model.pipeline
    adapter = folder / model.file if model.file else folder
    try:
        files = [adapter] if model.file else _weights(folder)[1]
        found = count_bytes(files)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"model {model.name!r} is not whole: {error}; get it again: aigen models pull {model.name}"
        ) from None
    base = find(catalogue.find(model.base))
    components = base.components | {"motion_adapter": found}
    return replace(base, pipeline=model.pipeline, components=components, adapter=adapter)


def tiny_decoder(pipeline: str) -> Path | None:
    """The folder of the tiny autoencoder for models of a diffusers pipeline, if there is one and it is here."""
    hub = catalogue.tiny_decoder(pipeline)
    folder = snapshot(hub) if hub else None
    try:
        return folder if folder and count_bytes([folder / "diffusion_pytorch_model.safetensors"]) else None
    except (OSError, ValueError):
        return None


def examine(folder: Path, model: Model) -> Contents:
    """Return what a folder holds of a model. Raises UsageError when it is no model, not whole, or not safe to load."""
    name = catalogue.display_name(model.name)
    again = f"get it again: aigen models pull {model.name}" if model.hub else "copy it again"
    index = read_json(folder / "model_index.json")
    if index is None and (model.sees or _vision_class(folder)):
        return _examine_vision_model(folder, name, again)
    if index is None and model.hub:
        raise UsageError(f"model {name!r} is not whole: it has no readable model_index.json; {again}")
    if index is None:
        raise UsageError(f"model {name!r} is no model: its folder has no model_index.json, as diffusers writes it")
    pipeline = index.get("_class_name")
    if not isinstance(pipeline, str):
        raise _own_code(name)
    components = {}
    variants = []
    for component, library in parts_of(index):
        part = folder / component
        if "." in library or (part / f"{library}.py").exists():
            raise _own_code(name)
        if not part.is_dir():
            raise UsageError(f"model {name!r} is not whole: {component} is missing; {again}")
        if not (part / "config.json").exists():
            continue  # a scheduler, a tokenizer: nothing but small files
        variant, components[component] = _count_component(part, name, component, again)
        variants.append(variant)
    return Contents(folder, pipeline, components, next(filter(None, variants), None), index)


def pipeline_of(model: Model) -> str | None:
    """Return the diffusers pipeline named in the model's own index, even if the model is incomplete."""
    folder = locate(model)
    told = (read_json(folder / "model_index.json") or {}).get("_class_name") if folder else None
    return told if isinstance(told, str) else None


def sees(model: Model) -> bool:
    """Whether a model looks at pictures and makes none: as the catalogue says, or what is here of it."""
    folder = locate(model)
    return model.sees or bool(folder and _vision_class(folder))


def _vision_class(folder: Path) -> str | None:
    """Return the class of transformers that what lies in a folder is for, if it is a vision model and known."""
    told = (read_json(folder / "config.json") or {}).get("architectures")
    names = told if isinstance(told, list) else []
    return next((each for each in names if isinstance(each, str) and each in SEEING), None)


def _examine_vision_model(folder: Path, name: str, again: str) -> Contents:
    """Return what a folder holds of a vision model: a single component, with what prepares pictures for it."""
    config = read_json(folder / "config.json")
    if config is None:
        raise UsageError(f"model {name!r} is not whole: it has no readable config.json; {again}")
    vision_class = _vision_class(folder)
    if vision_class is None:
        raise UsageError(f"model {name!r} is none that sees: its config.json names none of {', '.join(SEEING)}")
    if "auto_map" in config:
        raise _own_code(name)
    for each in SEEING[vision_class]:
        if not (folder / each).exists():
            raise UsageError(f"model {name!r} is not whole: {each} is missing; {again}")
    variant, found = _count_component(folder, name, None, again)
    return Contents(folder, vision_class, {"network": found}, variant, config)


def _count_component(part: Path, name: str, component: str | None, again: str) -> tuple[str | None, dict[str, int]]:
    """Return the variant of a component's weights and their bytes by data type;
    a model of one component does not name it.

    Raises UsageError, with what to do, when they are pickles or not whole.
    """
    try:
        variant, weights = _weights(part)
        if not weights and any(any(part.glob(pattern)) for pattern in PICKLES):
            raise UsageError(f"model {name!r} has its {component or 'weights'} {ONLY_PICKLES}")
        return variant, count_bytes(weights)
    except (OSError, ValueError) as error:
        where = f"{component}: " if component else ""
        raise UsageError(f"model {name!r} is not whole: {where}{error}; {again}") from None


def _own_code(name: str) -> UsageError:
    return UsageError(f"model {name!r} brings code of its own to run, which is never done")


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in a JSON file; None if there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # the last of what is nested thousands of levels deep
        return None
    return found if isinstance(found, dict) else None


def parts_of(index: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The parts that a model consists of, each with the library that its class is in."""
    for component, value in index.items():
        if isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value):
            yield component, value[0]


def _weights(part: Path) -> tuple[str | None, list[Path]]:
    """The safetensors of one component, those in half precision first, and the variant that their names have.

    An index names its shards, so that one that is missing is among them too. Raises ValueError if it names none.
    """
    variant, chosen = choose_weights(sorted(path.name for path in part.iterdir()))
    paths = [part / name for name in chosen if not name.endswith(".json")]
    for index in (part / name for name in chosen if name.endswith(".json")):
        shards = (read_json(index) or {}).get("weight_map")
        names = list(shards.values()) if isinstance(shards, dict) else []
        if not names:
            raise ValueError(f"{index.name} is no list of files")
        paths = sorted({*paths, *(part / str(shard) for shard in names)})
    return variant, paths


def choose_weights(names: Sequence[str]) -> tuple[str | None, list[str]]:
    """Of the files of one component, the safetensors to load and the variant that their names have."""
    for variant in _VARIANTS:
        if found := _of_variant(names, variant):
            return variant, found
    return None, []


def _of_variant(names: Iterable[str], variant: str | None) -> list[str]:
    """The safetensors of a variant, or of none; where an index names shards, it and those.

    They are named `model.fp16.safetensors`, `model.fp16-00001-of-00002.safetensors`,
    `model.safetensors.index.fp16.json`.
    """
    found = []
    for name in names:
        if ".safetensors" in name and ".non_ema" not in name:
            parts = name.replace(".safetensors", "").replace(".index", "").removesuffix(".json").split(".")
            if [part.split("-")[0] for part in parts[1:]] == ([variant] if variant else []):
                found.append(name)
    sharded = any(name.endswith(".json") for name in found)
    return [name for name in found if not sharded or name.endswith(".json") or "-of-" in name]


def count_bytes(paths: Iterable[Path]) -> dict[str, int]:
    """The bytes of safetensors by data type. Raises ValueError when there are none, or one is not whole."""
    total: Counter[str] = Counter()
    for path in paths:
        try:
            found = path.stat()
        except FileNotFoundError:
            raise ValueError(f"{path.name} is missing") from None
        total.update(_count_file(path, found.st_size, found.st_mtime_ns))
    if not total:
        raise ValueError("it has no weights")
    return dict(total)


@lru_cache(maxsize=4096)
def _count_file(path: Path, size: int, changed_at: int) -> Mapping[str, int]:
    """Return the bytes of one file by data type; cached until its size or modification time changes."""
    tensors, begin = _read_header(path)
    total: Counter[str] = Counter()
    end = 0
    for tensor in tensors:
        start, stop = tensor["data_offsets"]
        total[tensor["dtype"]] += stop - start
        end = max(end, stop)
    if size != begin + end:
        raise ValueError(f"{path.name} is cut off")
    return total


def _read_header(path: Path) -> tuple[list[dict[str, Any]], int]:
    """What a safetensors file says of its tensors, and where they begin in it."""
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 0 < length <= _HEADER_LIMIT:
            raise ValueError(f"{path.name} is no safetensors file")
        text = file.read(length)
    try:
        header = json.loads(text)
    except ValueError:
        raise ValueError(f"{path.name} is cut off") from None
    except RecursionError:
        header = None
    tensors = [value for name, value in header.items() if name != "__metadata__"] if isinstance(header, dict) else [{}]
    if not all(map(_is_tensor, tensors)):
        raise ValueError(f"{path.name} is no safetensors file")
    return tensors, 8 + length


def _is_tensor(entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("dtype"), str):
        return False
    offsets = entry.get("data_offsets")
    return isinstance(offsets, list) and len(offsets) == 2 and all(isinstance(offset, int) for offset in offsets)
