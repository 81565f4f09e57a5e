"""How notices stand, for people and for programs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aigen.notify.channels import display_name
from aigen.store import NOTICE_ATTEMPTS, Store
from aigen.times import spoken_at, to_text
from aigen.types.rows import Generation, Notice


@dataclass(frozen=True)
class NoticeStatus:
    """A notice and the order it is about."""

    notice: Notice
    order: Generation

    def as_json(self) -> dict[str, Any]:
        notice = self.notice
        return {
            "generation_id": notice.generation_id,
            "user_id": self.order.user_id,
            "channel": display_name(notice.channel),
            "event": notice.event,
            "state": notice.state,
            "due_at": notice.due_at,
            "attempts": notice.attempts,
            "next_at": notice.next_at,
            "sent_at": notice.sent_at,
            "error": notice.error,
        }

    def is_due(self, now: datetime) -> bool:
        notice = self.notice
        return notice.state == "ready" and notice.due_at <= to_text(now) and (notice.next_at or "") <= to_text(now)

    def text(self, now: datetime) -> str:
        """How it stands, in words."""
        event = {"failed": "failure ", "confirm": "confirmation of the address "}.get(self.notice.event, "")
        return event + self._stands(now)

    def _stands(self, now: datetime) -> str:
        notice = self.notice
        if notice.state == "unconfirmed":
            return "waits until the address is confirmed"
        if notice.state == "waiting":
            return "not needed" if self.order.status == "Failed" else "waits for the order"
        if notice.state == "sent" and notice.sent_at:
            return f"sent at {spoken_at(notice.sent_at, now)}"
        if notice.state == "failed":
            return "given up"
        if notice.state == "sending":
            return "is being sent"
        if self.is_due(now):
            return "is due"
        if notice.next_at:
            return f"next try at {spoken_at(notice.next_at, now)}"
        return f"due at {spoken_at(notice.due_at, now)}"

    @property
    def remark(self) -> str:
        """Why it could not be sent."""
        notice = self.notice
        if not notice.error:
            return ""
        return f"{display_name(notice.channel)}: {notice.error} (attempt {notice.attempts} of {NOTICE_ATTEMPTS})"


def list_notices(store: Store, user_id: str | None = None, generation_id: str | None = None) -> list[NoticeStatus]:
    """The notices of a user, of an order, or all; those of the oldest order first."""
    orders = {order.generation_id: order for order in store.generations(user_id)}
    return [
        NoticeStatus(notice, orders[notice.generation_id])
        for notice in store.notices(generation_id, user_id)
        if notice.generation_id in orders
    ]
