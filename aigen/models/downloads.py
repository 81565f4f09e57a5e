"""Getting models, from the hub or from a folder, and removing them.

Downloads go on where an earlier one stopped, also after a kill; the hub's own way of keeping files begins anew. Files
lie in its cache all the same, where other programs find them, and what those have got is not got again.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from aigen.errors import AigenError, AlreadyRunning, GenerationError, UsageError
from aigen.models import catalogue
from aigen.models.catalogue import Model
from aigen.models.weights import (
    ONLY_PICKLES,
    PICKLES,
    cached,
    choose_weights,
    count_bytes,
    examine,
    is_here,
    parts_of,
    read_json,
    tiny_decoder,
)
from aigen.wording import spoken_size

# What a diffusers folder needs beside weights.
_SMALL_FILES = ("*.json", "*.txt", "*.model", "*.jinja")
# Room that stays free on the disk after a download.
_DISK_LEFT = 500_000_000


@dataclass(frozen=True)
class Download:
    """A file of a repository that is to be got, and its size in bytes."""

    name: str
    size: int


def choose_files(files: Mapping[str, int], index: Mapping[str, Any] | None, only: str | None = None) -> list[Download]:
    """Of the files of a repository, with their sizes, those that are needed of the model that `index` describes.

    Without an index it is a single component, or `only` one file. Weights in half precision where there are any, else
    in full. Raises UsageError when a component has only pickles.
    """
    if only:
        return [Download(only, files[only])] if only in files else []
    folders: dict[str, list[str]] = {}
    for name in files:
        folder, _, rest = name.rpartition("/")
        folders.setdefault(folder, []).append(rest)
    parts = [""] if index is None else [part for part, _ in parts_of(dict(index))]
    chosen = [] if index is None else ["model_index.json"]  # beside it often lie single-file checkpoints
    for part in parts:
        names = folders.get(part, [])
        _, weights = choose_weights(names)
        if "config.json" in names and not weights and any(fnmatch(name, each) for name in names for each in PICKLES):
            raise UsageError(f"{part or 'the model'} has its weights {ONLY_PICKLES}")
        small = [name for name in names if any(fnmatch(name, each) for each in _SMALL_FILES) and ".index" not in name]
        chosen += [f"{part}/{name}".lstrip("/") for name in sorted({*small, *weights})]
    return [Download(name, files[name]) for name in chosen]


Progress = Callable[[int, int, str], None]


def pull(model: Model, token: str | None, report: Progress) -> Path:
    """Get a model from the hub, and what belongs to it: the tiny autoencoder that fits it,
    the model that it adds itself to.

    Gives its folder. What came stays, whatever comes between.

    `report(done, total, text)` is told the bytes. Raises UsageError or GenerationError: no network, not there, gated,
    only pickles, the disk too full.
    """
    assert model.hub
    if model.base and not is_here(base := catalogue.find(model.base)):
        pull(base, token, report)
    folder = _pull(model.hub, token, report, model.file)
    if model.sees or (folder / "model_index.json").exists():
        contents = examine(folder, model)
        tiny = catalogue.tiny_decoder(contents.pipeline)
        if tiny and tiny_decoder(contents.pipeline) is None:
            _pull(tiny, token, report)
    return folder


def _pull(hub: str, token: str | None, report: Progress, only: str | None = None) -> Path:
    """Get what is needed of one repository; its folder."""
    from huggingface_hub import HfApi

    with _translated(hub):
        info = HfApi(token=token).model_info(hub, files_metadata=True)
    revision, sizes = str(info.sha), {file.rfilename: file.size or 0 for file in info.siblings or []}
    if not revision.isalnum() or any(".." in name or Path(name).is_absolute() for name in sizes):
        raise GenerationError(f"{hub} names files that cannot be: what answers is no hub")
    folder = cached(hub) / "snapshots" / revision
    with _alone(hub):
        index = None
        if "model_index.json" in sizes:
            with _translated(hub):
                _get(hub, revision, "model_index.json", folder / "model_index.json", token, lambda here: None)
            index = read_json(folder / "model_index.json") or {}
        files = choose_files(sizes, index, only)
        if not files:
            raise UsageError(f"{hub} on the hub is no model in the layout of diffusers")
        _check_disk(sum(file.size - _here(folder / file.name) for file in files))

        def get(name: str, target: Path, told: Callable[[int], None]) -> None:
            with _translated(hub):
                _get(hub, revision, name, target, token, told)

        _bring(files, folder, get, report)
        return _point_at(hub, revision)


def _bring(
    files: list[Download], folder: Path, get: Callable[[str, Path, Callable[[int], None]], None], report: Progress
) -> None:
    """Have those files got that are not here, or not whole, each by its name to its place."""
    total, done = sum(file.size for file in files), 0
    for file in files:
        report(done, total, file.name)
        target = folder / file.name
        if not target.exists() or target.stat().st_size != file.size:
            target.parent.mkdir(parents=True, exist_ok=True)
            get(file.name, target, partial(_add, report, done, total, file.name))
        done += file.size
    report(total, total, "")


def _here(target: Path) -> int:
    """The bytes of a file that are here, also of one that is not whole yet."""
    if target.exists():
        return target.stat().st_size
    return sum(path.stat().st_size for path in target.parent.glob(f"{target.name}.*.incomplete"))


def _check_disk(needed: int) -> None:
    from huggingface_hub.constants import HF_HUB_CACHE

    cache = Path(HF_HUB_CACHE)
    place = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if free < needed + _DISK_LEFT:
        raise GenerationError(
            f"the disk of {str(cache)!r} has {spoken_size(free)} free, "
            f"and {spoken_size(needed + _DISK_LEFT)} are needed: "
            "free some space, or choose another place with HF_HOME"
        )


@contextmanager
def _alone(hub: str) -> Iterator[None]:
    """While this process, and no other, gets a repository."""
    folder = cached(hub)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".aigen.lock", timeout=0.2):
            yield
    except Timeout:
        raise AlreadyRunning(f"another process is getting {hub}: wait for it") from None
    except OSError as error:
        raise GenerationError(
            f"{str(folder)!r} cannot be written ({error.strerror}): choose another with HF_HOME"
        ) from error


def _get(hub: str, revision: str, name: str, target: Path, token: str | None, report: Callable[[int], None]) -> None:
    """Get one file, going on where an earlier process stopped; the hub's own way of keeping files begins anew.

    Raises GenerationError when what came is not what the hub has.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    url = hf_hub_url(hub, name, revision=revision)
    metadata = get_hf_file_metadata(url, token=token)
    target.unlink(missing_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    blob = cached(hub) / "blobs" / (metadata.etag or "none")  # where the hub's own way keeps it, for all revisions
    if blob.is_file() and blob.stat().st_size == metadata.size:
        try:
            target.symlink_to(os.path.relpath(blob, target.parent))
        except OSError:  # Windows lets not everybody make links
            shutil.copyfile(blob, target)
        return
    unfinished = target.with_name(f"{target.name}.{(metadata.etag or '')[:16]}.incomplete")
    if unfinished.exists() and unfinished.stat().st_size > (metadata.size or 0):
        unfinished.unlink()
    with unfinished.open("ab") as file:
        http_get(
            url,
            file,
            resume_size=file.tell(),
            headers=build_hf_headers(token=token),
            expected_size=metadata.size,
            tqdm_class=_bar(report),
        )
    if len(metadata.etag or "") == 64:  # of large files the hub tells the SHA-256
        with unfinished.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != metadata.etag:
            unfinished.unlink()
            raise GenerationError(f"{name} of {hub} was damaged on its way: get it again with the same command")
    unfinished.replace(target)


def _add(report: Progress, before: int, total: int, name: str, here: int) -> None:
    report(min(before + here, total), total, name)


def _point_at(hub: str, revision: str) -> Path:
    """Make a revision in the cache the newest one; its folder."""
    reference = cached(hub) / "refs" / "main"
    reference.parent.mkdir(parents=True, exist_ok=True)
    reference.write_text(revision, encoding="ascii")
    return cached(hub) / "snapshots" / revision


def _bar(report: Callable[[int], None]) -> type:
    """As much of a tqdm as a download of the hub uses; it passes on how many bytes of a file are here."""

    class Bar:
        def __init__(self, *_: Any, initial: int = 0, **__: Any) -> None:
            self.here = initial
            report(initial)

        def update(self, count: float | None = 1) -> None:
            self.here += int(count or 0)
            report(self.here)

        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda *_, **__: None

    return Bar


@contextmanager
def _translated(hub: str) -> Iterator[None]:
    """The hub's errors as ours, in one line with what to do next."""
    from huggingface_hub import errors
    from huggingface_hub.utils import logging

    logging.set_verbosity(logging.CRITICAL)  # it tells of each try, in several lines
    unreachable: Any = errors.HfHubHTTPError.__bases__[0]  # of httpx or of httpx2: versions of the hub's library differ
    try:
        yield
    except AigenError:
        raise
    except errors.OfflineModeIsEnabled as error:
        raise GenerationError(f"{hub} cannot be got: HF_HUB_OFFLINE is set; unset it") from error
    except errors.GatedRepoError as error:
        raise GenerationError(
            f"{hub} is gated: accept its licence on https://huggingface.co/{hub}, then set HF_TOKEN to a token of yours"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise UsageError(f"{hub} is not on the hub, or it is private: check the name, or set HF_TOKEN") from error
    except errors.HFValidationError as error:
        raise UsageError(f"{hub} cannot be the name of a repository: {error}") from error
    except errors.HfHubHTTPError as error:
        code = error.response.status_code
        if code in (401, 403):
            raise GenerationError(f"{hub} is not for this token (the hub answers {code}): check HF_TOKEN") from error
        raise GenerationError(
            f"{hub} cannot be got: the hub answers {code}; go on later with the same command"
        ) from error
    except (unreachable, errors.LocalEntryNotFoundError, errors.FileMetadataError, ConnectionError) as error:
        raise GenerationError(
            f"{hub} cannot be got, the hub does not answer ({_first_line(error)}): "
            "go on later with the same command, or "
            "bring the folder from another machine and give it with --from DIR"
        ) from error
    except OSError as error:
        if error.errno is None:  # fewer bytes came than were told
            raise GenerationError(f"{hub} came only in part: go on with the same command") from error
        raise GenerationError(
            f"{hub} cannot be kept here ({error.strerror}): choose another place with HF_HOME"
        ) from error


def _first_line(error: Exception) -> str:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return re.sub(r"^\[Errno -?\d+\] ", "", first)[:200]


def take(model: Model, source: Path, report: Progress) -> Path:
    """Copy a model's folder to where pulled ones lie; its folder there. Raises UsageError when it is not that model."""
    assert model.hub
    if not source.is_dir():
        raise UsageError(f"--from {str(source)!r} is no folder")
    if model.hub in catalogue.tiny_decoders():
        if (read_json(source / "config.json") or {}).get("_class_name") != "AutoencoderTiny":
            raise UsageError(f"--from {str(source)!r} holds no tiny decoder (its config.json names an AutoencoderTiny)")
        _check_weights(source / "diffusion_pytorch_model.safetensors", source)
    elif model.base:
        _check_adapter(source, model)
    else:
        contents = examine(source, replace(catalogue.find(str(source.resolve())), kinds=model.kinds))
        if model.pipeline and contents.pipeline != model.pipeline:
            raise UsageError(
                f"--from {str(source)!r} holds a {contents.pipeline}; "
                f"{model.name} is a {model.pipeline}: give its folder"
            )
    times = {path: path.stat() for path in sorted(source.rglob("*")) if path.is_file()}
    sizes = {path.relative_to(source).as_posix(): found.st_size for path, found in times.items()}
    files = choose_files(sizes, read_json(source / "model_index.json"), model.file)
    if not files:
        raise UsageError(f"--from {str(source)!r} holds no model in the layout of diffusers")
    _check_disk(sum(file.size for file in files))
    # Where the hub keeps revisions by their hash, this one goes by the hash of what it consists of.
    told = repr([(file, times[source / file.name].st_mtime_ns) for file in files])
    revision = hashlib.sha1(told.encode(), usedforsecurity=False).hexdigest()
    folder = cached(model.hub) / "snapshots" / revision

    def copy(name: str, target: Path, told: Callable[[int], None]) -> None:
        # Not by `write_whole`: a copy that was killed is overwritten by the next one, gigabytes do not stay.
        unfinished = target.with_name(f"{target.name}.incomplete")
        shutil.copyfile(source / name, unfinished)
        unfinished.replace(target)

    with _alone(model.hub):
        _bring(files, folder, copy, report)
        return _point_at(model.hub, revision)


def _check_adapter(source: Path, model: Model) -> None:
    if model.file and not (source / model.file).exists():
        raise UsageError(f"--from {str(source)!r} has no {model.file}: give the folder that holds it")
    if not model.file and (read_json(source / "config.json") or {}).get("_class_name") != "MotionAdapter":
        raise UsageError(f"--from {str(source)!r} holds no motion adapter (its config.json names a MotionAdapter)")
    names = sorted(path.name for path in source.iterdir())
    for name in [model.file] if model.file else choose_weights(names)[1]:
        _check_weights(source / name, source)


def _check_weights(path: Path, source: Path) -> None:
    try:
        count_bytes([path])
    except (OSError, ValueError) as error:
        raise UsageError(f"--from {str(source)!r} is not whole: {error}; copy it again") from error


def remove(model: Model) -> int:
    """Remove a model from the hub's cache; the bytes that are free now.

    Raises UsageError when there is nothing to remove.
    """
    if model.hub is None:
        raise UsageError(f"model {catalogue.display_name(model.name)!r} is a folder of your own: remove it by hand")
    folder = cached(model.hub)
    if not folder.is_dir() or folder.is_symlink():
        raise UsageError(f"model {model.name!r} is not here: there is nothing to remove")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    try:
        with _alone(model.hub):
            for name in ("refs", "snapshots", "blobs"):
                shutil.rmtree(folder / name, ignore_errors=name != "snapshots")
        shutil.rmtree(folder)
    except OSError as error:
        raise GenerationError(f"{str(folder)!r} cannot be removed ({error.strerror}): remove it by hand") from error
    return size
