"""The errors this package raises on purpose. ``str(error)`` is what a user reads."""

from __future__ import annotations


class ObserveError(Exception):
    """Base of every error raised on purpose: bad input, a missing tool, an unusable folder."""


class UsageError(ObserveError):
    """An argument, a setting or a combination of them that can't work."""


class OutputError(ObserveError):
    """The bundle can't be planned or written; what was on disk still stands whole."""


class ToolError(ObserveError):
    """An external program is missing, of the wrong version, or failed."""
