"""Keeps secrets from leaving the process: in log lines, span attributes, texts of exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.runtime.redaction.patterns import CustomPattern
from autogpt_observe.runtime.redaction.redactor import Redactor
from autogpt_observe.secrets.keys import KeyNames
from autogpt_observe.secrets.kinds import CUSTOM_KEY, EMAIL, KINDS

if TYPE_CHECKING:
    from autogpt_observe.secrets.scanner import Scanner
    from autogpt_observe.spec.model import Redaction

__all__ = ["Redactor", "build_redactor"]


def build_redactor(redaction: Redaction | None) -> Redactor:
    """The redactor that a spec asks for; that of the defaults if it asks for nothing."""
    kinds = set(KINDS)
    names: list[tuple[str, str]] = []
    patterns: tuple[CustomPattern, ...] = ()
    if redaction is not None:
        kinds -= {*redaction.allow, *(() if redaction.emails else (EMAIL,))}
        names = [(name, CUSTOM_KEY) for name in redaction.keys]
        patterns = tuple(CustomPattern(name, text) for name, text in redaction.patterns.items())
    of_fields = KeyNames(kinds=kinds, further=names)

    def make_scanner() -> Scanner:
        from autogpt_observe.secrets.scanner import Scanner  # noqa: PLC0415  # compiles a lot

        return Scanner(kinds, names=of_fields)

    return Redactor(make_scanner, names=of_fields, patterns=patterns)
