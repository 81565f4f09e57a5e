"""Mail addresses of web users: until its owner has confirmed one, only the mail that asks for that is sent to it."""

from datetime import datetime, timedelta
from typing import Any

from aigen.errors import UsageError
from aigen.store.database import Connection
from aigen.times import from_text, to_text
from aigen.types.rows import Generation

# How long the link in such a mail works, and after which time another one is sent if it was not used.
CONFIRMATION_LIFETIME = timedelta(days=7)
ASKED_AGAIN = timedelta(days=1)
# Addresses that a user may give within an hour, and users who may give the same address within a day.
PER_USER, PER_ADDRESS = 5, 3
# Mails that ask within an hour, of all users; what is more waits for an hour.
ALL = 60
MAIL = "mailto:"

_OF_ADDRESS = "user_id = :user_id AND address = :address COLLATE NOCASE"


class Addresses(Connection):
    def unconfirmed(self, user_id: str) -> dict[str, bool]:
        """The addresses that mails to a user wait for, and whether the mail that asks could not be sent."""
        rows = self._read(
            """
            SELECT DISTINCT substr(channel, 8) AS address, EXISTS (
                SELECT 1 FROM notices AS asking JOIN generations USING (generation_id)
                WHERE user_id = :user_id AND asking.channel = notices.channel COLLATE NOCASE
                    AND asking.event = 'confirm' AND asking.state = 'failed') AS failed
            FROM notices JOIN generations USING (generation_id)
            WHERE user_id = :user_id AND state = 'unconfirmed' ORDER BY 1
            """,
            {"user_id": user_id},
        )
        return {row["address"]: bool(row["failed"]) for row in rows}

    def _hold_unconfirmed(self, order: Generation) -> None:
        """Hold back the mails about a new order whose addresses are not confirmed, and ask for that.

        Raises UsageError when its user has given too many addresses of late, or too many users this one.
        """
        channels = [channel for channel in dict.fromkeys(order.request.notify) if channel.startswith(MAIL)]
        for channel in channels:
            known = {"user_id": order.user_id, "address": channel.removeprefix(MAIL), "now": order.requested_at}
            if self._read(f"SELECT 1 FROM addresses WHERE {_OF_ADDRESS} AND confirmed_at IS NOT NULL", known):
                continue
            notice = {"generation_id": order.generation_id, "channel": channel}
            self._update(
                "UPDATE notices SET state = 'unconfirmed' WHERE generation_id = :generation_id AND channel = :channel",
                notice,
            )
            if not self._is_asked(known, channel):
                due_at = self._due_at(known)
                self._update(
                    "INSERT INTO addresses (user_id, address, asked_at) VALUES (:user_id, :address, :now) "
                    "ON CONFLICT DO UPDATE SET asked_at = :now",
                    known,
                )
                self._table("notices").insert({**notice, "due_at": due_at, "event": "confirm", "state": "ready"})

    def _is_asked(self, known: dict[str, str], channel: str) -> bool:
        """Whether a mail that asks for it is on its way, or was sent of late; not if it could not be sent."""
        since = to_text(from_text(known["now"]) - ASKED_AGAIN)
        asking = """
            SELECT state FROM notices JOIN generations USING (generation_id)
            WHERE user_id = :user_id AND channel = :channel COLLATE NOCASE AND event = 'confirm'
            ORDER BY notices.id DESC LIMIT 1
        """
        states = [row["state"] for row in self._read(asking, {**known, "channel": channel})]
        if states in (["ready"], ["sending"]):
            return True
        written = f"""
            SELECT 1 FROM addresses JOIN confirmations USING (user_id, address)
            WHERE {_OF_ADDRESS} AND asked_at > :since
        """
        return states != ["failed"] and bool(self._read(written, {**known, "since": since}))

    def _due_at(self, known: dict[str, str]) -> str:
        """When a mail that asks for an address may be sent. Raises UsageError when it may not be asked for."""
        now = from_text(known["now"])
        (asked,) = self._read(
            """
            SELECT count(*) FILTER (WHERE user_id = :user_id AND asked_at > :hour) AS by_user,
                count(*) FILTER (WHERE address = :address COLLATE NOCASE AND asked_at > :day) AS same_address,
                count(*) FILTER (WHERE asked_at > :hour) AS together
            FROM addresses
            """,
            {**known, "hour": to_text(now - timedelta(hours=1)), "day": to_text(now - ASKED_AGAIN)},
        )
        if asked["by_user"] >= PER_USER:
            raise UsageError(f"you gave {asked['by_user']} new mail addresses within an hour: try again later")
        if asked["same_address"] >= PER_ADDRESS:
            raise UsageError(f"too many users gave the address {known['address']!r} today: give another one")
        return to_text(now + timedelta(hours=1)) if asked["together"] >= ALL else known["now"]

    def ask_confirmation(
        self, token_hash: str, order: Generation, channel: str, now: datetime, expires_at: datetime
    ) -> bool:
        """Write the token of the mail that asks a user to confirm an address; False if it is confirmed already.

        Tokens of earlier mails stay valid until they expire.
        """
        values = {
            "token_hash": token_hash,
            "user_id": order.user_id,
            "address": channel.removeprefix(MAIL),
            "expires_at": to_text(expires_at),
        }
        with self._write():
            self._update("DELETE FROM confirmations WHERE expires_at <= ?", [to_text(now)])
            return self._update(
                f"""
                INSERT INTO confirmations SELECT :token_hash, user_id, address, :expires_at FROM addresses
                WHERE {_OF_ADDRESS} AND confirmed_at IS NULL
                """,
                values,
            )

    def asked_address(self, token_hash: str, now: datetime) -> dict[str, Any] | None:
        """What a token confirms: `user_id`, `address` and `confirmed_at`; None when it is none or has expired."""
        rows = self._read(
            """
            SELECT user_id, address, confirmed_at FROM confirmations JOIN addresses USING (user_id, address)
            WHERE token_hash = ? AND expires_at > ?
            """,
            [token_hash, to_text(now)],
        )
        return rows[0] if rows else None

    def confirm_address(self, token_hash: str, now: datetime) -> bool:
        """Confirm an address, and let the mails go that were held back for that."""
        with self._write():
            found = self.asked_address(token_hash, now)
            if found is None:
                return False
            self._update(
                f"UPDATE addresses SET confirmed_at = :now WHERE {_OF_ADDRESS} AND confirmed_at IS NULL",
                {**found, "now": to_text(now)},
            )
            self._update(
                """
                UPDATE notices SET state = CASE WHEN event = 'completed' AND (SELECT status FROM generations
                        WHERE generations.generation_id = notices.generation_id) <> 'Completed'
                    THEN 'waiting' ELSE 'ready' END
                WHERE state = 'unconfirmed' AND channel = 'mailto:' || :address COLLATE NOCASE
                    AND generation_id IN (SELECT generation_id FROM generations WHERE user_id = :user_id)
                """,
                found,
            )
            return True
