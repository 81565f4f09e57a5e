"""What the user configured, and where state lives on disk.

Settings come from the environment, then a `.env` in the current folder, then `settings.toml` in the platform's user
configuration folder; the names are the same in all three. The *content folder* holds all state: the layout is here,
so that no other module puts path names together.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from filelock import FileLock

from aigen.errors import AlreadyRunning, ContentError, UsageError

NAMES = {
    "AIGEN_CONTENT", "AIGEN_MODEL", "AIGEN_BASE_URL", "AIGEN_MAX_ORDERS", "AIGEN_MAX_ITEMS", "AIGEN_TRUSTED_PROXY", "AIGEN_SMTP_HOST", "AIGEN_SMTP_PORT",
    "AIGEN_SMTP_SECURITY", "AIGEN_SMTP_USER", "AIGEN_SMTP_PASSWORD", "AIGEN_SMTP_FROM", "AIGEN_SMTP_CA_FILE", "AIGEN_DEBUG",
}  # fmt: skip
DEFAULT_CONTENT = "generated_content"


@dataclass(frozen=True)
class ContentFolder:
    """The folder that holds all state.

    aigen.db                          the store
    <user_id>/<generation_id>-...     finished files
    .work/<generation_id>/            files in the making
    .work/<name>.lock                 locks
    .work/<name>.json                 what a lasting process says of itself; it informs and decides nothing
    .thumbs/<user_id>/...             derived, may be deleted at any time
    """

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "aigen.db"

    def file(self, relative: str) -> Path:
        return self.root / relative

    def user(self, user_id: str) -> Path:
        return self.root / user_id

    def thumbs(self, user_id: str) -> Path:
        return self.root / ".thumbs" / user_id

    def thumbnail(self, relative: str, size: str) -> Path:
        """Where the thumbnail of a finished file is, of a size that goes by this name."""
        file = Path(relative)
        return self.thumbs(file.parent.name) / f"{file.stem}-{size}.webp"

    @property
    def making(self) -> Path:
        """Where files are until they are whole; what a crash leaves in a folder in it is tidied up."""
        return self.root / ".work"

    def work(self, generation_id: str) -> Path:
        return self.making / generation_id

    def works(self) -> list[str]:
        """The ids of all orders that have a work folder."""
        folder = self.making
        return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []

    def _lock_file(self, name: str) -> Path:
        return self.making / f"{name}.lock"

    def lock(self, name: str, timeout: float = 0) -> FileLock:
        """A lock between processes, free again the moment its holder dies. Acquiring it may raise TimeoutError."""
        path = self._lock_file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(path, timeout=timeout)

    @contextmanager
    def hold(self, name: str, timeout: float, held: str) -> Iterator[None]:
        """Hold a lock. Raises AlreadyRunning, saying `held`, when another process has it for longer than `timeout`."""
        lock = self.lock(name, timeout)
        try:
            lock.acquire()
        except TimeoutError:
            raise AlreadyRunning(held) from None
        try:
            yield
        finally:
            lock.release()

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
        self.making.mkdir(parents=True, exist_ok=True)
        unfinished = self.making / f"{name}.json.{os.getpid()}"
        unfinished.write_text(json.dumps(note), encoding="utf-8")
        unfinished.replace(self._note_file(name))

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
        """Create the folder if need be and prove that a file can be written into it."""
        import tempfile

        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)  # a user's work is nobody else's business
            self.making.mkdir(exist_ok=True)
            tempfile.TemporaryFile(dir=self.making).close()
        except OSError as error:
            raise ContentError(
                f"the content folder {str(self.root)!r} cannot be written ({error.strerror}): "
                "choose another with --content or AIGEN_CONTENT"
            ) from error

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


@dataclass(frozen=True)
class Settings:
    """`values` holds every setting by its name, such as `AIGEN_MODEL`."""

    values: Mapping[str, str]

    def content(self, chosen: Path | None) -> ContentFolder:
        root = chosen or Path(self.values.get("AIGEN_CONTENT") or DEFAULT_CONTENT)
        root = root.expanduser().absolute()
        if root.exists() and not root.is_dir():
            raise UsageError(f"the content folder {str(root)!r} is a file: give a folder")
        return ContentFolder(root)

    @property
    def model(self) -> str | None:
        """The model the user chose as the default, if any."""
        return self.values.get("AIGEN_MODEL") or None

    def number(self, name: str, otherwise: int) -> int:
        """A setting that is a whole number above 0. Raises UsageError."""
        text = self.values.get(name) or str(otherwise)
        if not text.isascii() or not text.isdigit() or int(text[:9]) == 0:
            raise UsageError(f"{name} {text[:80]!r} is not usable: give a whole number above 0")
        return int(text[:9])

    def read_base_url(self) -> str | None:
        """Where the web gallery is reached from outside, if the user said so. Raises UsageError."""
        url = (self.values.get("AIGEN_BASE_URL") or "").rstrip("/")
        if url and not _is_web_address(url):
            raise UsageError(
                f"AIGEN_BASE_URL {url[:80]!r} is not usable: give a URL without a path, such as https://example.org"
            )
        scheme, _, rest = url.partition("://")
        return f"{scheme.lower()}://{rest}" if url else None


def _is_web_address(url: str) -> bool:
    try:
        found = urlsplit(url)
        _ = found.port  # which is looked at only when it is asked for
    except ValueError:
        return False
    wrong = found.query or found.fragment or found.username or not url.isprintable() or " " in url
    return found.scheme in ("http", "https") and bool(found.hostname) and found.path in ("", "/") and not wrong


def settings_file() -> Path:
    """Where the user's own settings are kept."""
    from platformdirs import user_config_path

    return user_config_path("aigen") / "settings.toml"


def write_setting(file: Path, name: str, value: str) -> None:
    """Set one of the user's own settings; what else stands in the file stays as it is. Raises UsageError."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(file.read_text(encoding="utf-8")) if file.exists() else tomlkit.document()
        document[name] = value
        file.parent.mkdir(parents=True, exist_ok=True)
        file = file.resolve()  # which may be kept elsewhere, behind a link
        unfinished = file.with_name(f"{file.name}.{os.getpid()}")
        unfinished.touch(mode=0o600)  # passwords stand in it
        unfinished.write_text(tomlkit.dumps(document), encoding="utf-8")
        unfinished.replace(file)
    except (OSError, ValueError, TOMLKitError) as error:
        raise UsageError(f"the settings file {str(file)!r} cannot be written: {error}") from error


def read_settings(environment: Mapping[str, str], folder: Path, file: Path) -> Settings:
    """Read the settings of a process started in `folder`; what stands first wins: environment, `.env`, `file`."""
    return Settings({**_read_toml(file), **_read_dotenv(folder / ".env"), **environment})


def _read_dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value is not None}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{str(path)!r} cannot be read: {error}") from error


def _read_toml(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    import tomllib

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"the settings file {str(path)!r} cannot be read: {error}") from error
    return {name: str(value) for name, value in values.items()}
