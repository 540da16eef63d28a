"""What a test is told when it asks for something that did not happen."""

from __future__ import annotations

from autogpt_observe.errors import ObserveError


class NotObservedError(ObserveError, AssertionError):
    """What the test asks for was not observed; the message says what was."""
