"""The command line: parse, call one function, print.

Results go to stdout, everything else to stderr. Errors are one line; `program` is the only module that turns them into
an exit code. Whatever is heavy is imported by the command that needs it, so that `aigen --help` starts in a blink.
"""

from aigen.cli import (
    backup,
    costs,
    describe,
    doctor,
    generate,
    info,
    keys,
    models,
    narrate,
    notices,
    orders,
    repair,
    serve,
    users,
)
from aigen.cli.program import app

__all__ = [
    "app",
    "backup",
    "costs",
    "describe",
    "doctor",
    "generate",
    "info",
    "keys",
    "models",
    "narrate",
    "notices",
    "orders",
    "repair",
    "serve",
    "users",
]
