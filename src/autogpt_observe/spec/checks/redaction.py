"""Checks of `redaction`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import did_you_mean
from autogpt_observe.secrets.keys import split_words
from autogpt_observe.secrets.kinds import KINDS

if TYPE_CHECKING:
    from autogpt_observe.spec.checks.context import Context, Path

_TOP = "redaction"


def check_redaction(context: Context) -> None:
    """Check that the patterns can be used, and that the kinds and names mean something."""
    redaction = context.spec.redaction
    if redaction is None:
        return
    for name, expression in redaction.patterns.items():
        path = (_TOP, "patterns", name)
        if name in KINDS:
            message = f"there is a built-in kind `{name}`, so one can't tell what was replaced"
            context.error("redaction/kind", message, context.key_at(path), fix="rename the pattern")
        _check_pattern(context, name, expression, path)
    for index, kind in enumerate(redaction.allow):
        if kind not in KINDS:
            message = f"there is no kind of secret called `{kind}`"
            fix = did_you_mean(kind, KINDS)
            context.error("redaction/kind", message, (_TOP, "allow", index), fix=fix)
    for index, key in enumerate(redaction.keys):
        if not any(word.isalpha() for word in split_words(key)):
            message = f"the name `{key}` has no word in it, so no field is called that"
            fix = "write the words that the field's name ends in, such as `session_id`"
            context.error("redaction/key", message, (_TOP, "keys", index), fix=fix)


def _check_pattern(context: Context, name: str, expression: str, path: Path) -> None:
    try:
        compiled = re.compile(expression)
    except (re.error, RecursionError, OverflowError) as error:
        at = context.inside(path, getattr(error, "pos", None) or 0, 1)
        why = getattr(error, "msg", "it is too large")
        message = f"the pattern `{name}` is no regular expression of Python: {why}"
        context.error("redaction/pattern", message, at)
        return
    if compiled.search("") is not None:
        message = f"the pattern `{name}` matches the empty text, so it tells no secret"
        fix = "make one of its parts necessary: `+` in place of `*`, no `?` behind the whole"
        context.error("redaction/empty", message, path, fix=fix)
    from autogpt_observe.secrets.backtracking import (  # noqa: PLC0415  # few specs have patterns
        find_ambiguous_repeat,
    )

    ambiguous = find_ambiguous_repeat(expression)
    if ambiguous is not None:
        start, end = ambiguous
        part = expression[start:end]
        message = f"`{part}` repeats what repeats itself, so some texts would take exponential time"
        fix = "let no two branches begin alike"
        if "|" not in part:
            fix = "write the inner repetition as one that gives nothing back: `++` for `+`"
        context.error("redaction/slow", message, context.inside(path, start, end - start), fix=fix)
