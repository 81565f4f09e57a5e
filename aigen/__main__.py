"""`python -m aigen` is the same program as `aigen`."""

from aigen.cli import app

if __name__ == "__main__":
    app()
