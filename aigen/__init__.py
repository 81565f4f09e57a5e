"""aigen: pictures and videos from a text prompt, made on this machine."""

__version__ = "0.1.0"
