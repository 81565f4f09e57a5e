"""A content folder in one file, and back: also while orders are being made.

An archive is a tar with the store, the files of its rows, what unfinished orders need, and a manifest with the size and
SHA-256 of each. It is verified before it gets its name, and again before it is restored.
"""

import glob
import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aigen.content import ContentFolder, write_whole
from aigen.errors import ContentError, UsageError
from aigen.media.thumbnails import companions
from aigen.orders.context import Context
from aigen.store import Store
from aigen.times import to_text

_MANIFEST, _STORE, _VERSION = "manifest.json", "aigen.db", 1
_CHUNK = 2**20


@dataclass(frozen=True)
class Backup:
    """What an archive holds: orders, files and bytes; `missing` are files that were gone already."""

    orders: int
    files: int
    size: int
    missing: tuple[str, ...] = ()


def back_up(context: Context, target: Path) -> Backup:
    """Write an archive of the content folder. Raises UsageError if `target` exists, and ContentError."""
    if target.exists():
        raise UsageError(f"{str(target)!r} exists: give another name")
    if not context.content.database.exists():
        raise UsageError(f"the content folder {str(context.content.root)!r} has no store: there is nothing to back up")
    context.content.check_writable()
    held = f"a backup of {str(context.content.root)!r} is being made already"
    with (
        context.content.hold("backup", 1.0, held),
        context.content.temporary("backup") as folder,
        _errors(target),
    ):
        for left in target.parent.glob(f"{glob.escape(target.name)}.*.unfinished"):  # by a backup that was killed
            left.unlink()
        copy = ContentFolder(folder)
        context.store.copy_to(copy.database)
        with closing(Store.open(copy)) as store:
            if problems := store.problems():
                raise ContentError(f"the store is damaged ({problems[0]}): see aigen repair")
            paths, missing = _files(context, store)
            orders = len(store.generations())
        with write_whole(target) as unfinished:
            manifest = _write(context.content, copy.database, paths, unfinished, to_text(context.clock()))
            _verify(unfinished)
    return Backup(orders, len(manifest) - 1, sum(size for size, _ in manifest.values()), tuple(missing))


def _files(context: Context, store: Store) -> tuple[list[str], list[str]]:
    """Return the files that the rows of a copied store name, and those that are gone; what was erased meanwhile is
    erased from the copy too.
    """
    content = context.content
    paths: list[str] = []
    missing: list[str] = []
    for order in store.generations():
        if context.store.generation(order.generation_id) is None:
            store.delete_order(order.generation_id)
            continue
        for item in store.items(order.generation_id):
            for path in [content.file(item.path), *companions(content, item)] if item.path else []:
                (paths if path.is_file() else missing).append(path.relative_to(content.root).as_posix())
        if order.status in ("Processing", "Failed"):
            work = content.work(order.generation_id)
            paths += [path.relative_to(content.root).as_posix() for path in sorted(work.rglob("*")) if path.is_file()]
    return paths, missing


def _write(
    content: ContentFolder, database: Path, paths: list[str], target: Path, now: str
) -> dict[str, tuple[int, str]]:
    """Write an archive; return its manifest. Files of unfinished orders may vanish meanwhile."""
    manifest: dict[str, tuple[int, str]] = {}
    with tarfile.open(target, "w") as archive:
        for name, path in [(_STORE, database), *((name, content.root / name) for name in paths)]:
            try:
                data = path.open("rb")
            except FileNotFoundError:
                continue
            with data:
                info = archive.gettarinfo(arcname=name, fileobj=data)
                info.uid = info.gid = 0
                info.uname = info.gname = ""
                counted = _Counted(data)
                archive.addfile(info, counted)
                manifest[name] = (info.size, counted.sha.hexdigest())
        text = json.dumps({"version": _VERSION, "made_at": now, "files": manifest}).encode()
        info = tarfile.TarInfo(_MANIFEST)
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
    return manifest


class _Counted(io.RawIOBase):
    """A file that is hashed while it is read."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file, self.sha = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.sha.update(data)
        return data


def _verify(archive: Path, into: Path | None = None) -> dict[str, tuple[int, str]]:
    """Compare every file of an archive with its manifest, and write it into a folder. Raises ContentError."""
    found: dict[str, tuple[int, str]] = {}
    manifest: dict[str, tuple[int, str]] | None = None
    with tarfile.open(archive) as tar:
        for member in tar:
            data = tar.extractfile(member)
            if data is None or not _is_safe(member.name):
                raise ContentError(f"{str(archive)!r} has {member.name[:80]!r}, which no backup has")
            if member.name == _MANIFEST:
                manifest = {name: (size, sha) for name, (size, sha) in json.load(data)["files"].items()}
                continue
            sha = hashlib.sha256()
            target = into / member.name if into else None
            if target:
                target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") if target else io.BytesIO() as file:
                while part := data.read(_CHUNK):
                    sha.update(part)
                    if target:
                        file.write(part)
            found[member.name] = (member.size, sha.hexdigest())
    if manifest is None or manifest != found or _STORE not in found:
        raise ContentError(f"the backup {str(archive)!r} is damaged or cut short: use another one")
    return found


def _is_safe(name: str) -> bool:
    """Return whether a name stays in its folder."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name and ":" not in name


def restore(archive: Path, content: ContentFolder) -> Backup:
    """Write the content folder of an archive. Raises UsageError if there is one already, and ContentError."""
    if not archive.is_file():
        raise UsageError(f"{str(archive)!r} is no file: give a backup by aigen backup")
    if content.root.exists() and any(content.root.iterdir()):
        raise UsageError(f"the content folder {str(content.root)!r} is not empty: choose another with --content")
    with _errors(archive):
        content.root.parent.mkdir(parents=True, exist_ok=True)
        folder = content.root.with_name(f".{content.root.name}.unfinished")
        shutil.rmtree(folder, ignore_errors=True)  # by a restore that was killed
        try:
            folder.mkdir(mode=0o700)
            files = _verify(archive, folder)
            with closing(Store.open(ContentFolder(folder))) as store:
                if problems := store.problems():
                    raise ContentError(f"the store in {str(archive)!r} is damaged ({problems[0]}): use another backup")
                orders = len(store.generations())
            if content.root.exists():
                content.root.rmdir()
            folder.rename(content.root)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return Backup(orders, len(files) - 1, sum(size for size, _ in files.values()))


@contextmanager
def _errors(file: Path) -> Iterator[None]:
    """Translate what reading and writing archives may raise."""
    try:
        yield
    except (tarfile.TarError, EOFError, KeyError, ValueError, TypeError) as error:
        raise ContentError(f"{str(file)!r} is no backup by aigen, or is damaged ({error})") from error
    except OSError as error:
        raise ContentError(f"{str(file)!r}: {error.strerror or error}") from error
