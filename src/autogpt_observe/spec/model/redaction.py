"""What is replaced in all that leaves the process: log lines, spans, texts of exceptions."""

from __future__ import annotations

from collections.abc import Mapping

from autogpt_observe.names import Name
from autogpt_observe.spec.keys import key, part


@part
class Redaction:
    """Which secrets are replaced before anything leaves the process."""

    emails: bool = key("Whether e-mail addresses are replaced as well", default=True)
    patterns: Mapping[Name, str] = key(
        "Further secrets: a regular expression of Python for each, by the name that stands in"
        " place of what it matches; with a group named `secret`, only that is replaced",
        default={},
    )
    keys: tuple[str, ...] = key(
        "Further names of fields, headers and parameters whose value is a secret, such as"
        " `session_id`; words may be parted in any way",
        default=(),
    )
    allow: tuple[str, ...] = key("Built-in kinds that are left as they are, by name", default=())
