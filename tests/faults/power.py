"""What a power cut may leave: rebuilt from a log of the calls that change files, without writes that were not synced.

Renames, removals and new folders are kept in their order, as journalling file systems do; of a file, only what was
synced is there. Files that share memory (`-shm`) are left out: SQLite makes them anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Call:
    """A logged call: `other` is the new name of a rename, `offset` where it writes, or the new length."""

    name: str
    path: str
    other: str
    offset: int
    data: bytes


def read_log(file: Path) -> list[Call]:
    calls, rest = [], file.read_bytes()
    while rest:
        head, _, rest = rest.partition(b"\n")
        name, path, other, offset, length = head.decode().split("\t")
        calls.append(Call(name, path, other, int(offset), rest[: int(length)]))
        rest = rest[int(length) :]
    return calls


class Disk:
    """Files as programs see them, and as they would be after a power cut."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._seen: dict[str, bytearray] = {}
        self._synced: dict[str, bytes] = {}
        self._folders: set[str] = set()
        self.done: set[str] = set()  # files that had a final name and were synced

    def apply(self, call: Call) -> None:
        path = call.path
        if call.name == "write":
            held = self._seen.setdefault(path, bytearray())
            held.extend(bytes(max(0, call.offset - len(held))))
            held[call.offset : call.offset + len(call.data)] = call.data
        elif call.name == "truncate":
            held = self._seen.setdefault(path, bytearray())
            del held[call.offset :]
            held.extend(bytes(max(0, call.offset - len(held))))
        elif call.name == "sync" and path in self._seen:
            self._synced[path] = bytes(self._seen[path])
        elif call.name == "rename":
            for files in (self._seen, self._synced):
                if path in files:
                    files[call.other] = files.pop(path)  # type: ignore[assignment, arg-type]
                else:
                    files.pop(call.other, None)
        elif call.name == "unlink":
            self._seen.pop(path, None)
            self._synced.pop(path, None)
        elif call.name == "mkdir":
            self._folders.add(path)
        elif call.name == "rmdir":
            self._folders.discard(path)

    def write_to(self, folder: Path) -> None:
        """Write what a power cut leaves now."""
        folder.mkdir(parents=True)
        for name in sorted(self._folders):
            self._place(folder, name).mkdir(parents=True, exist_ok=True)
        for name in self._seen:
            if not name.endswith("-shm"):
                place = self._place(folder, name)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(self._synced.get(name, b""))

    def _place(self, folder: Path, name: str) -> Path:
        return folder / Path(name).relative_to(self._root)


def power_cuts(calls: list[Call], root: Path) -> Iterator[Disk]:
    """Yield the disk before each call that changes what a power cut would leave."""
    disk = Disk(root)
    for call in calls:
        if call.name != "write":
            yield disk
        disk.apply(call)
    yield disk
