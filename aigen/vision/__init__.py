"""Seeing: what is in a picture of the user's, by the built-in networks or by a model from the hub.

`load` gives who looks, by name: the built-in one is always here and loads no torch; those of the catalogue are got by
`aigen models pull`. All of them say what they saw in the same words (`sight`).
"""

from typing import TYPE_CHECKING, Protocol

from aigen.errors import UsageError
from aigen.sight import Seen

if TYPE_CHECKING:
    from PIL.Image import Image

BUILT_IN = "nanodet"


class VisionModel(Protocol):
    """Looks at an upright RGB picture of any size. `label` says in a few words what it is."""

    label: str

    def see(self, picture: "Image") -> Seen: ...


def load(name: str) -> VisionModel:
    """Who goes by this name. Raises UsageError when there is nobody."""
    if name == BUILT_IN:
        from aigen.vision.nanodet import NanoDet

        return NanoDet()
    raise UsageError(f"vision model {name[:80]!r} is not known: choose from {BUILT_IN}")
