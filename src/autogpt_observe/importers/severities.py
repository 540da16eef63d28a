"""Words for severities, and the three of a spec."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from autogpt_observe.spec.model import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORDS: Mapping[Severity, str] = MappingProxyType(
    {
        Severity.CRITICAL: "critical crit page pager emergency emerg fatal disaster urgent"
        " p0 p1 sev0 sev1 s1",
        Severity.WARNING: "warning warn ticket error major average high medium minor"
        " p2 p3 sev2 sev3 s2 s3",
        Severity.INFO: "info information informational notice low none debug p4 p5 sev4 sev5 s4",
    }
)
_BY_WORD: Mapping[str, Severity] = MappingProxyType(
    {word: severity for severity, words in _WORDS.items() for word in words.split()}
)
UNKNOWN = Severity.WARNING
"""What stands for a word that is in no list, and for none: seen, and nobody woken."""


def read_severity(word: str) -> Severity | None:
    """The severity that a word stands for, or None."""
    return _BY_WORD.get(word.lower())
