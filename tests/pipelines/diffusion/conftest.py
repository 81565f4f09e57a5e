"""What tests of diffusion models share."""

import pytest

from aigen.models import device


@pytest.fixture(autouse=True)
def without_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute in float32, as the bare calls of diffusers do, however well this processor does bfloat16."""
    monkeypatch.setattr(device, "bfloat16_time", lambda: 50.0)
