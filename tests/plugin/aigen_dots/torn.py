"""A pipeline whose package is broken: something that it needs is not here."""

import a_package_that_is_not_here  # type: ignore[import-not-found]  # noqa: F401


class TornDots:
    """Nobody ever sees it."""
