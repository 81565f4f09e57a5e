"""Mail addresses of web users: until its owner has confirmed one, only the mail that asks for that is sent to it."""

from datetime import datetime, timedelta
from typing import Any

from aigen.errors import UsageError
from aigen.store.database import Connection
from aigen.times import from_text, to_text
from aigen.types.rows import Generation

# How long the link in such a mail works, after which another one can be asked for.
CONFIRMATION_LIFETIME = timedelta(days=7)
ASKED_AGAIN = timedelta(days=1)
# How many users may have a mail sent to the same address within a day, and to any address within an hour.
PER_ADDRESS, ALL = 3, 60
MAIL = "mailto:"

_OF_ADDRESS = "user_id = :user_id AND address = :address COLLATE NOCASE"
_ASKED = "FROM addresses WHERE token_hash = :token_hash AND confirmed_at IS NULL AND asked_at > :since"


class Addresses(Connection):
    def unconfirmed(self, user_id: str) -> list[str]:
        """The addresses that mails to a user wait for, until they are confirmed."""
        rows = self._read(
            """
            SELECT DISTINCT substr(channel, 8) AS address FROM notices JOIN generations USING (generation_id)
            WHERE user_id = ? AND state = 'unconfirmed' ORDER BY 1
            """,
            [user_id],
        )
        return [row["address"] for row in rows]

    def _hold_unconfirmed(self, order: Generation) -> None:
        """Hold back the mails about a new order whose addresses are not confirmed, and ask for that.

        Raises UsageError when too many mails have asked for it of late.
        """
        channels = [channel for channel in dict.fromkeys(order.request.notify) if channel.startswith(MAIL)]
        for channel in channels:
            known = {"user_id": order.user_id, "address": channel.removeprefix(MAIL)}
            if self._read(f"SELECT 1 FROM addresses WHERE {_OF_ADDRESS} AND confirmed_at IS NOT NULL", known):
                continue
            notice = {"generation_id": order.generation_id, "channel": channel, "due_at": order.requested_at}
            self._update(
                "UPDATE notices SET state = 'unconfirmed' WHERE generation_id = :generation_id AND channel = :channel",
                notice,
            )
            if not self._is_asked(known, channel, order.requested_at):
                self._check_asked(known["address"], order.requested_at)
                self._update(
                    "INSERT INTO addresses (user_id, address, asked_at) VALUES (:user_id, :address, :now) "
                    "ON CONFLICT DO UPDATE SET asked_at = :now, token_hash = NULL",
                    {**known, "now": order.requested_at},
                )
                self._table("notices").insert({**notice, "event": "confirm", "state": "ready"})

    def _is_asked(self, known: dict[str, str], channel: str, now: str) -> bool:
        """Whether a mail that asks for it is on its way, or was sent of late."""
        return bool(
            self._read(
                f"""
                SELECT 1 FROM addresses WHERE {_OF_ADDRESS} AND asked_at > :since AND token_hash IS NOT NULL UNION ALL
                SELECT 1 FROM notices JOIN generations USING (generation_id)
                WHERE user_id = :user_id AND channel = :channel COLLATE NOCASE AND event = 'confirm'
                    AND state IN ('ready', 'sending')
                """,
                {**known, "channel": channel, "since": to_text(from_text(now) - ASKED_AGAIN)},
            )
        )

    def _check_asked(self, address: str, now: str) -> None:
        (asked,) = self._read(
            """
            SELECT count(*) FILTER (WHERE address = :address COLLATE NOCASE AND asked_at > :day) AS here,
                count(*) FILTER (WHERE asked_at > :hour) AS everywhere FROM addresses
            """,
            {
                "address": address,
                "day": to_text(from_text(now) - ASKED_AGAIN),
                "hour": to_text(from_text(now) - timedelta(hours=1)),
            },
        )
        if asked["here"] >= PER_ADDRESS or asked["everywhere"] >= ALL:
            raise UsageError("too many mails were sent to unconfirmed addresses: choose another way, or try tomorrow")

    def ask_confirmation(self, token_hash: str, order: Generation, channel: str, now: datetime) -> bool:
        """Write the token of the mail that asks a user to confirm an address; False if it is confirmed already."""
        return self._change(
            f"UPDATE addresses SET token_hash = :token_hash, asked_at = :now "
            f"WHERE {_OF_ADDRESS} AND confirmed_at IS NULL",
            {
                "token_hash": token_hash,
                "now": to_text(now),
                "user_id": order.user_id,
                "address": channel.removeprefix(MAIL),
            },
        )

    def asked_address(self, token_hash: str, now: datetime) -> str | None:
        """The address that a token confirms; None when it is none, has expired or was used."""
        rows = self._read(f"SELECT address {_ASKED}", _asked(token_hash, now))
        return rows[0]["address"] if rows else None

    def confirm_address(self, token_hash: str, now: datetime) -> bool:
        """Confirm an address, and let the mails go that were held back for that."""
        with self._write():
            found = self._read(f"SELECT user_id, address {_ASKED}", _asked(token_hash, now))
            for row in found:
                self._update(
                    f"UPDATE addresses SET confirmed_at = :now WHERE {_OF_ADDRESS}", {**row, "now": to_text(now)}
                )
                self._update(
                    """
                    UPDATE notices SET state = CASE WHEN event = 'completed' AND (SELECT status FROM generations
                            WHERE generations.generation_id = notices.generation_id) <> 'Completed'
                        THEN 'waiting' ELSE 'ready' END
                    WHERE state = 'unconfirmed' AND channel = 'mailto:' || :address COLLATE NOCASE
                        AND generation_id IN (SELECT generation_id FROM generations WHERE user_id = :user_id)
                    """,
                    row,
                )
            return bool(found)


def _asked(token_hash: str, now: datetime) -> dict[str, Any]:
    """The parameters of `_ASKED`."""
    return {"token_hash": token_hash, "since": to_text(now - CONFIRMATION_LIFETIME)}
