"""Every error that aigen raises on purpose, and the exit code it ends the program with.

    AigenError              1   something went wrong: what, which value, what to do next
    ├── UsageError          2   the user asked for something that cannot be; nothing was written
    │   ├── PictureError    2   a picture of the user's cannot be used
    │   └── CostError       2   an order costs more than a limit, or nobody agreed to its cost
    ├── StoreError          1   the store cannot be opened or written
    ├── ContentError        1   the content folder cannot be written, or its disk is full
    ├── GenerationError     1   an order, or some of its items, could not be made
    │   └── ProviderError   1   a hosted provider refused, failed or could not be reached
    ├── StillRunning        1   jobs at a provider are not done yet: the order waits for them
    ├── NotDelivered        1   a notice could not be sent
    ├── AlreadyRunning      3   another process does this job
    ├── Cancelled           1   somebody cancelled the order while it was made
    └── Interrupted       130   Ctrl-C: what is finished stays, the rest waits for `aigen resume`

Messages are one line. Only `cli` turns them into an exit code.
"""

from typing import Literal


class AigenError(Exception):
    exit_code = 1


class UsageError(AigenError):
    exit_code = 2


class PictureError(UsageError):
    pass


class CostError(UsageError):
    pass


class StoreError(AigenError):
    pass


class ContentError(AigenError):
    pass


class KeyMissing(UsageError):
    """A provider's key is not there, or cannot be read here."""


class GenerationError(AigenError):
    pass


# How a provider failed: wrong key, no credit, too many requests, refused by moderation, not allowed, unknown model, job
# unknown to the provider, no capacity, server error, not reached (nothing was sent), no answer (it was sent).
ProviderFault = Literal[
    "key", "credit", "rate", "moderation", "invalid", "model", "missing", "busy", "server", "unreached", "unanswered",
]  # fmt: skip


class ProviderError(GenerationError):
    """A hosted provider failed. It may ask to wait `retry_after` seconds."""

    def __init__(self, text: str, fault: ProviderFault, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.fault, self.retry_after = fault, retry_after

    @property
    def is_certain(self) -> bool:
        """Return whether a submission that ended like this was certainly not sold."""
        return self.fault not in ("server", "unanswered")


class StillRunning(AigenError):
    """Jobs at a provider are not done yet. A worker looks again after so many `seconds`.

    `reason` says why, if it is not only that they take their time; `lacks_key`: there is no key to ask with.
    """

    def __init__(self, text: str, seconds: float, reason: str | None = None, lacks_key: bool = False) -> None:
        super().__init__(text)
        self.seconds, self.lacks_key = seconds, lacks_key
        self.reason = text if reason is None else reason


class NothingBought(AigenError):
    """Something would have to be bought where only what is bought already is collected."""


class NotDelivered(AigenError):
    """A notice could not be sent. `lasting`: another try would end alike."""

    def __init__(self, reason: str, lasting: bool = False) -> None:
        super().__init__(reason)
        self.lasting = lasting


class AlreadyRunning(AigenError):
    exit_code = 3


class Cancelled(AigenError):
    pass


class Interrupted(AigenError):
    exit_code = 130
