"""Patterns of HTTP status codes, such as `5..`, as the list of codes that they select."""

from __future__ import annotations

import re
from http import HTTPStatus

from autogpt_observe.importers.expressions import Matcher

_LABELS = re.compile(
    r"(?:http_|response_|http_response_)?(?:code|status|status_?code)", re.IGNORECASE
)
_PATTERN = re.compile(r"[0-9.|()\[\]\\dx^$*+?-]+", re.ASCII)
_LONGEST = 60


def status_codes(matcher: Matcher) -> Matcher | None:
    """The same choice as a list of registered codes; None for what is no choice of codes.

    Codes that nobody registered (520) are not in it.
    """
    pattern = matcher.value
    if matcher.op not in ("=~", "!~", "!=") or _LABELS.fullmatch(matcher.label) is None:
        return None
    if _PATTERN.fullmatch(pattern) is None or len(pattern) > _LONGEST:
        return None
    if matcher.op == "!=":
        pattern = re.escape(pattern)
    try:
        chosen = re.compile(pattern, re.ASCII)
    except re.error:
        return None
    wanted = matcher.op == "=~"
    codes = [str(c.value) for c in HTTPStatus if bool(chosen.fullmatch(str(c.value))) is wanted]
    return Matcher(matcher.label, "=~", "|".join(codes)) if codes else None
