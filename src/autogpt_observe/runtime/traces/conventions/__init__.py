"""What spans are called and what they say: OpenTelemetry's GenAI conventions, and names of our own.

The conventions are all in development. Every name of theirs stands in `vocabulary`, per version.
"""

from autogpt_observe.runtime.traces.conventions.choice import Choice, read_choice
from autogpt_observe.runtime.traces.conventions.describe import Beginning, Conventions
from autogpt_observe.runtime.traces.conventions.failed import (
    error_description,
    exception_event,
)
from autogpt_observe.runtime.traces.conventions.vocabulary import Names, Version

__all__ = [
    "Beginning",
    "Choice",
    "Conventions",
    "Names",
    "Version",
    "error_description",
    "exception_event",
    "read_choice",
]
