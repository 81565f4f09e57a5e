"""What tests of diffusion models share."""

from collections.abc import Iterator

import pytest
import torch

from aigen.models import device
from aigen.pipelines.diffusion import loading

# What libraries warn of while models are made here is nobody's business; where users load some, `quietly` sees to it.
WARNINGS = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")

torch.set_num_threads(1)  # the tests run side by side, and the models are tiny


@pytest.fixture(autouse=True)
def empty_hands() -> Iterator[None]:
    """Every test loads what it needs."""
    yield
    loading.slot.release()


@pytest.fixture(autouse=True)
def without_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute in float32, as the bare calls of diffusers do, however well this processor does bfloat16."""
    monkeypatch.setattr(device, "bfloat16_time", lambda: 50.0)
