"""The content folder, which holds all state: its layout and its locks,
so that no other module puts path names together.

What is written here, and by others, appears under its final name only when it is whole (`publish`, `write_whole`).
"""

import errno
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from aigen.errors import AlreadyRunning, ContentError

# What the system says where a disk is full, and where it cannot be written any more.
OUT_OF_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
READ_ONLY = {errno.EROFS}


@dataclass(frozen=True)
class ContentFolder:
    """The folder that holds all state.

    aigen.db                          the store
    <user_id>/<generation_id>-...     finished files
    .work/<generation_id>/            files in the making
    .work/<name>.lock                 locks
    .work/<name>.json                 what a lasting process says of itself; it informs and decides nothing
    .thumbs/<user_id>/...             derived, may be deleted at any time

    Of a folder that cannot be written, `scratch` is where a copy of the store is, and whatever else is written.
    """

    root: Path
    scratch: Path | None = None

    @property
    def is_read_only(self) -> bool:
        return self.scratch is not None

    @property
    def database(self) -> Path:
        return (self.scratch or self.root) / "aigen.db"

    def file(self, relative: str) -> Path:
        return self.root / relative

    def user(self, user_id: str) -> Path:
        return self.root / user_id

    def thumbs(self, user_id: str) -> Path:
        return (self.scratch or self.root) / ".thumbs" / user_id

    def thumbnail(self, relative: str, size: str) -> Path:
        """Where the thumbnail of a finished file is, of a size that goes by this name."""
        file = Path(relative)
        return self.derived(file.parent.name, f"{file.stem}-{size}.webp")

    def derived(self, user_id: str, name: str) -> Path:
        """Where a file that was derived is or will be; of a read-only folder, where it was before, if it is there."""
        kept = self.root / ".thumbs" / user_id / name
        return kept if self.scratch is None or os.access(kept, os.R_OK) else self.thumbs(user_id) / name

    @property
    def making(self) -> Path:
        """Where files are until they are whole; what a crash leaves in a folder in it is tidied up."""
        return (self.scratch or self.root) / ".work"

    def work(self, generation_id: str) -> Path:
        return self.making / generation_id

    def works(self) -> list[str]:
        """The ids of all orders that have a work folder."""
        folder = self.making
        return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []

    def order_locks(self) -> list[str]:
        """The ids of all orders whose lock has a file."""
        folder = self.making
        names = sorted(path.stem for path in folder.glob("*.lock")) if folder.is_dir() else []
        return [name for name in names if re.fullmatch("[a-z0-9]{8,12}", name)]  # the others are named by shorter words

    def _lock_file(self, name: str) -> Path:
        return self.making / f"{name}.lock"

    def lock(self, name: str, timeout: float = 0) -> FileLock:
        """A lock between processes, free again the moment its holder dies. Acquiring it may raise TimeoutError."""
        path = self._lock_file(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._not_writable(error) from error
        return FileLock(path, timeout=timeout)

    @contextmanager
    def hold(self, name: str, timeout: float, held: str) -> Iterator[None]:
        """Hold a lock. Raises AlreadyRunning, saying `held`, when another process has it for longer than `timeout`."""
        lock = self.lock(name, timeout)
        try:
            lock.acquire()
        except TimeoutError:
            raise AlreadyRunning(held) from None
        except OSError as error:
            raise self._not_writable(error) from error
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def temporary(self, purpose: str) -> Iterator[Path]:
        """Yield a new work folder that is gone in the end; its lock keeps others from tidying it up until then."""
        name = f"{purpose}-{secrets.token_hex(8)}"
        with self.hold(name, 1.0, f"{name} is in use"):
            try:
                self.work(name).mkdir()
                yield self.work(name)
            finally:
                self.remove_work(name)
                self.remove_lock(name)

    def is_locked(self, name: str) -> bool:
        """Whether a living process holds this lock. The short wait lets two who only look pass each other."""
        path = self._lock_file(name)
        if not path.exists():
            return False
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0.05, poll_interval=0.005)
        except TimeoutError:
            return True
        except OSError:  # a folder that we may not write: nobody of ours works in it
            return False
        lock.release()
        return False

    def remove_lock(self, name: str) -> None:
        """Tidy up a lock that nobody will need again (filelock notices when its file was removed)."""
        self._lock_file(name).unlink(missing_ok=True)

    def write_note(self, name: str, note: dict[str, Any]) -> None:
        """Say something about a lasting process, such as its number; whether it lives, only its lock tells."""
        with write_whole(self._note_file(name)) as unfinished:
            unfinished.write_text(json.dumps(note), encoding="utf-8")

    def read_note(self, name: str) -> dict[str, Any]:
        """What a lasting process has last said; nothing where it has never run or the note is damaged."""
        try:
            note = json.loads(self._note_file(name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return note if isinstance(note, dict) else {}

    def _note_file(self, name: str) -> Path:
        return self.making / f"{name}.json"

    def check_writable(self) -> None:
        """Create the folder if need be and prove that a file can be written into it. Raises ContentError."""
        import tempfile

        if self.is_read_only:
            raise ContentError(f"the content folder {str(self.root)!r} is read-only: it can only be viewed")
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)  # a user's work is nobody else's business
            self.making.mkdir(exist_ok=True)
            tempfile.TemporaryFile(dir=self.making).close()
        except OSError as error:
            raise self._not_writable(error) from error

    def check_no_links(self, user_id: str) -> None:
        """Raise ContentError if a folder for files of a user is a link, which could lead to those of somebody else."""
        for folder in (self.user(user_id), self.thumbs(user_id).parent, self.thumbs(user_id), self.making):
            if folder.is_symlink():
                raise ContentError(f"{str(folder)!r} is a link: put a folder in its place")

    def _not_writable(self, error: OSError) -> ContentError:
        return ContentError(
            f"the content folder {str(self.root)!r} cannot be written ({error.strerror}): "
            "choose another with --content or AIGEN_CONTENT"
        )

    def remove_work(self, generation_id: str) -> None:
        _remove(self.work(generation_id))

    def remove_order(self, user_id: str, generation_id: str) -> None:
        """Remove the files of one order and what was derived from them."""
        try:
            for folder in (self.user(user_id), self.thumbs(user_id)):
                if folder.is_dir() and not folder.is_symlink():
                    for path in folder.glob(f"{generation_id}-*"):
                        path.unlink(missing_ok=True)
        except OSError as error:
            raise ContentError(f"a file of order {generation_id} cannot be removed ({error.strerror})") from error

    def remove_user(self, user_id: str, generation_ids: list[str]) -> list[str]:
        """Remove the files of a user's orders and what was derived from them; the names of files that are not ours."""
        _remove(self.thumbs(user_id))
        folder = self.user(user_id)
        if not folder.is_dir():
            return []
        if folder.is_symlink():
            raise ContentError(f"{str(folder)!r} is a link: remove it by hand")
        ours = tuple(f"{generation_id}-" for generation_id in generation_ids)
        try:
            for path in folder.iterdir():
                if path.name.startswith(ours):
                    path.unlink()
            kept = sorted(path.name for path in folder.iterdir())
            if not kept:
                folder.rmdir()
        except OSError as error:
            raise ContentError(f"{str(folder)!r} cannot be removed ({error.strerror}): remove it by hand") from error
        return kept


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ContentError(f"{str(folder)!r} cannot be removed ({error.strerror}): remove it by hand") from error


def publish(made: Path, final: Path) -> None:
    """Give a whole file its final name. After a power cut it is there whole, or not there."""
    final.parent.mkdir(parents=True, exist_ok=True)
    with made.open("rb+") as file:
        os.fsync(file.fileno())
    made.replace(final)
    if os.name == "posix":  # elsewhere a folder cannot be opened; the rename is as durable as the system makes it
        folder = os.open(final.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def write_whole(path: Path) -> Iterator[Path]:
    """Yield where to write a file, which then is published as `path`;
    what was written is gone if an error comes between.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    try:
        yield unfinished
        publish(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
