"""Composing: where the things of a plan stand and how large they are."""
