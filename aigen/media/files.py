"""A finished file gets its final name."""

import errno
import os
from pathlib import Path

# What the system says where a disk is full.
OUT_OF_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def publish(made: Path, final: Path) -> None:
    """Give a whole file its final name. After a power cut it is there whole, or not there."""
    final.parent.mkdir(parents=True, exist_ok=True)
    with made.open("rb+") as file:
        os.fsync(file.fileno())
    made.replace(final)
    if os.name == "posix":  # elsewhere a folder cannot be opened; the rename is as durable as the system makes it
        folder = os.open(final.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
