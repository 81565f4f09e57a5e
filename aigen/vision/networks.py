"""The built-in networks: each is opened once in a process, from the folder `weights`,
and computes on two cores at most.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from aigen.models.machine import count_cores

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

WEIGHTS = Path(__file__).parent / "weights"
THREADS_LIMIT = 2


@cache
def load(name: str, threads: int = THREADS_LIMIT) -> "InferenceSession":
    """The network of this name, ready to run, on so many threads where there are cores for them."""
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = min(threads, count_cores())
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # others may need the cores meanwhile
    options.log_severity_level = 3  # what it warns of is about the machine, and of no use to who asks about a photo
    return InferenceSession(WEIGHTS / f"{name}.onnx", options, providers=["CPUExecutionProvider"])
