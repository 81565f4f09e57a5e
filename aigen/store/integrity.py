"""Whether a store is whole, and what rebuilds a part of it."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from aigen.errors import StoreError
from aigen.store.database import Connection, dump
from aigen.store.items import item_row
from aigen.types.rows import Generation, Item


class Integrity(Connection):
    def problems(self, quick: bool = False) -> list[str]:
        """Return what SQLite finds wrong with the file; `quick` leaves out whether indexes agree with tables."""
        try:
            rows = self._read(f"PRAGMA {'quick_check' if quick else 'integrity_check'}")
        except StoreError as error:  # too much is wrong to check it
            return [str(error)]
        found = [str(next(iter(row.values()))) for row in rows]
        return [] if found == ["ok"] else found

    def copy_to(self, path: Path) -> None:
        """Copy the whole store into a new file, as it is at one moment, while others write."""
        with closing(sqlite3.connect(path)) as copy:
            self._read("SELECT 1")  # it may have to be opened first
            self._database.conn.backup(copy)

    def unsearchable(self) -> int:
        """Return how many entries of the search index are missing, left over or outdated."""
        rows = self._read(
            """
            SELECT (SELECT count(*) FROM (SELECT generation_id, prompt FROM generations
                    EXCEPT SELECT generation_id, prompt FROM prompts))
                + (SELECT count(*) FROM (SELECT generation_id, prompt FROM prompts
                    EXCEPT SELECT generation_id, prompt FROM generations)) AS count
            """
        )
        return int(rows[0]["count"])

    def rebuild_search(self) -> None:
        """Write the search index anew."""
        with self._write():
            self._database.execute("DELETE FROM prompts")
            self._database.execute(
                "INSERT INTO prompts (prompt, generation_id) SELECT prompt, generation_id FROM generations"
            )

    def adopt(self, generation: Generation, made: bool, items: Iterable[Item]) -> bool:
        """Write an ended order whose rows are lost, with its finished items, and its user if there is none."""
        with self._write(create=True):
            if self._read("SELECT 1 FROM generations WHERE generation_id = ?", [generation.generation_id]):
                return False
            if not self._read("SELECT 1 FROM users WHERE user_id = ? COLLATE NOCASE", [generation.user_id]):
                row = {"user_id": generation.user_id, "created_at": generation.requested_at, "made": made}
                self._table("users").insert(row)
            request, budgets = dump(generation.request.as_json()), dump(generation.budgets)
            self._table("generations").insert({**asdict(generation), "request": request, "budgets": budgets})
            self._table("items").insert_all({**item_row(item), "parameters": dump(item.parameters)} for item in items)
            return True
