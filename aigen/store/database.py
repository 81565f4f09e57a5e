"""The seams to SQLite: opening a store, reading, and writing in one transaction."""

import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from sqlite_utils import Database

from aigen.content import ContentFolder
from aigen.errors import ContentError, StoreError
from aigen.store.migrations import is_known, migrations

# How long a writer waits for another's transaction; each lasts milliseconds, but a laptop may be very busy.
BUSY_TIMEOUT = 30.0


class Connection:
    """A connection to a store, of one thread."""

    def __init__(self, content: ContentFolder, database: Database, is_there: bool, is_copy: bool = False) -> None:
        self._content, self._path = content, content.database
        self._database = database
        self._is_there, self._is_copy = is_there, is_copy

    @classmethod
    def open(cls, content: ContentFolder, create: bool = False) -> Self:
        """Open the store of a content folder, bringing an older schema up to date.

        A folder without a store reads as an empty one and stays untouched until an order is placed, unless `create`.
        Of a folder that cannot be written, such as a backup, a copy in memory is read.
        A file that is no store of ours, or one of a newer aigen, is refused and left as it is.
        """
        path = content.database
        with _translated(path):
            is_there = create or path.exists()
            if is_there and not create and not is_writable(path.parent):
                return cls(content, _read_copy(content), is_there, is_copy=True)
            database = _open(content, create) if is_there else _migrated(_connect(":memory:"))
            return cls(content, database, is_there)

    def _use_file(self, create: bool) -> None:
        """Switch from the empty store to the file, once it exists; create it if asked to."""
        if not self._is_there and (create or self._path.exists()):
            empty, self._database = self._database, _open(self._content, create)
            empty.close()
            self._is_there = True

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[dict[str, Any]]:
        with _translated(self._path):
            self._use_file(create=False)
            return list(self._database.query(sql, parameters))

    @contextmanager
    def _write(self, create: bool = False) -> Iterator[None]:
        """One transaction that holds the write lock from its first statement, so that it cannot fail half-way.

        Only with `create` it creates a store: what changes rows finds none in a store that is not there.
        """
        if self._is_copy:
            raise ContentError(f"the content folder {str(self._content.root)!r} is read-only: it can only be viewed")
        with _translated(self._path):
            self._use_file(create)
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                self._database.rollback()
                raise

    def _update(self, sql: str, parameters: Sequence[Any] | dict[str, Any]) -> bool:
        return self._database.execute(sql, parameters).rowcount > 0

    def _change(self, sql: str, parameters: Sequence[Any] | dict[str, Any]) -> bool:
        with self._write():
            return self._update(sql, parameters)

    def _table(self, name: str) -> Any:
        return self._database[name]


def _connect(path: str, uri: bool = False) -> Database:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, uri=uri)
    connection.execute("PRAGMA foreign_keys = ON")
    return Database(connection, execute_plugins=False)


def _open(content: ContentFolder, create: bool) -> Database:
    """Open the file of a store and bring its schema up to date."""
    if content.database.exists():
        _check_ours(content.database)
    if create:
        content.check_writable()
    # Nothing but placing an order creates a store, also where one vanishes in this moment.
    database = _connect(f"{content.database.absolute().as_uri()}?mode={'rwc' if create else 'rw'}", uri=True)
    try:
        if migrations.pending(database):
            with content.lock("store", timeout=BUSY_TIMEOUT):
                _migrated(database)
    except BaseException:
        database.close()
        raise
    return database


def is_writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK)


def copy_store(content: ContentFolder, scratch: Path) -> ContentFolder:
    """Copy the store of a folder that cannot be written, including what only its write-ahead log holds.

    Returns the content folder with `scratch` as the place for that copy and for whatever else is written.
    """
    for path in (content.database, content.database.with_name(f"{content.database.name}-wal")):
        if path.exists():
            with _translated(path), _readable(path):
                shutil.copyfile(path, scratch / path.name)
    return replace(content, scratch=scratch)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ContentError(f"{str(path)!r} cannot be read ({error.strerror}): check who owns it") from error


def _read_copy(content: ContentFolder) -> Database:
    """Return a copy of a store in memory, brought up to date there."""
    with tempfile.TemporaryDirectory() as name:
        memory = _connect(":memory:")
        with closing(_open(copy_store(content, Path(name)), create=False)) as database:
            database.conn.backup(memory.conn)
    return memory


def _check_ours(path: Path) -> None:
    """Refuse what is no store of this program, without writing: even closing a connection that may write would.

    Only what a process has left that died in its very first steps is rolled back, which a reader could not do.
    """
    mode = "rw" if _has_journal(path) else "ro"
    if _is_empty(path) and not _has_journal(path) and _has_orders(path.parent):
        raise StoreError(
            f"{str(path)!r} is empty, but files of orders are beside it: restore a backup (aigen restore), "
            "or remove it and run aigen repair"
        )
    with closing(_connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True)) as database:
        names = {name for name in database.table_names() if not name.startswith("sqlite_")}
        if names and "generations" not in names and names != {migrations.migrations_table}:
            raise StoreError(f"{str(path)!r} is a database of another program: choose another folder with --content")
        newer = [migration.name for migration in migrations.applied(database) if not is_known(migration.name)]
        if newer:
            raise StoreError(
                f"{str(path)!r} was written by a newer aigen ({newer[-1]}): upgrade with pip install -U aigen"
            )


def _has_journal(path: Path) -> bool:
    """Return whether a rollback journal lies beside a database, as before it had a write-ahead log."""
    try:
        return path.with_name(f"{path.name}-journal").stat().st_size > 0
    except FileNotFoundError:
        return False


def _is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except FileNotFoundError:  # it was removed just now
        return False


def _has_orders(folder: Path) -> bool:
    """Return whether finished files lie in a content folder."""
    return any(path.suffix in (".png", ".jpg", ".mp4") for path in folder.glob("[!.]*/*-[iv]*-*.*"))


def _migrated(database: Database) -> Database:
    migrations.apply(database)
    return database


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise StoreError(f"{str(path)!r} is being brought up to date by another process: try again") from error
    except sqlite3.Error as error:
        reason = str(error)
        if ("disk I/O" in reason or "unable to open" in reason) and not path.exists():
            raise StoreError(f"{str(path)!r} was removed meanwhile: restore a backup, or run aigen repair") from error
        if "disk is full" in reason or "disk I/O" in reason:
            raise ContentError(
                f"the disk of {str(path)!r} is full or failing ({reason}): free some space, then aigen resume"
            ) from error
        if "not a database" in reason or "malformed" in reason:
            raise StoreError(
                f"{str(path)!r} is not a store of aigen or is damaged ({reason}): "
                "restore it from a backup or choose another folder with --content"
            ) from error
        if "readonly" in reason or "unable to open" in reason:
            raise ContentError(f"{str(path)!r} cannot be written ({reason}): check who owns it") from error
        raise StoreError(f"{str(path)!r}: {reason}") from error


def dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
