"""Finds secrets by what stands around them: in addresses, in headers, in PEM files."""

from __future__ import annotations

import binascii
import re

from autogpt_observe.secrets.findings import PLACEHOLDER, Finding
from autogpt_observe.secrets.kinds import (
    AWS_KEY_ID,
    AWS_SECRET,
    BASIC,
    BEARER,
    EMAIL,
    PRIVATE_KEY,
    URL_CREDENTIALS,
)

_FURTHEST = 2048
"""Longest user and password of an address, in characters."""
_NOT_IN_USER = re.compile(r"[\s\"'`<>\\]")
_PORT = re.compile(r"[^/?#:]*:(?:\d{1,5})?(?:[/?#]|$)")
_LOCAL_BEFORE = re.compile(r"[\w.%+-]{1,256}+")
_DOMAIN = re.compile(r"(?:@|%40)((?:[^\W_](?:[\w-]{0,62})\.){1,8}[^\W\d_]{2,24})(?![\w-])")
_ESCAPE_ENDS = re.compile(r"(?<=\\)[abfnrtv]|(?<=\x1b\[)\d{0,3}m|%[2-7][0-9A-Fa-f]")
"""What seems to begin an address and is the end of an escape before it: `\\n`, a colour, `%3D`."""
_NO_PERSONS = ("git", "hg", "svn")
"""Users of `git@host:path`, the short form of an ssh address."""
_BEGIN = "-----BEGIN"
_END = "-----END"
_BORDER = r"[ A-Z0-9]{0,40}PRIVATE KEY(?: BLOCK)?+-----"
_PEM = re.compile(
    rf"{_BEGIN}{_BORDER}(?:[A-Za-z0-9+/=\s\\:,.()_]|-(?!----))*+"
    r"(?:-----(?:END[ A-Z0-9]{0,60}(?:-{1,5})?+)?+)?+"
)
_PEM_END = re.compile(_END + _BORDER)
_PEM_BODY = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n\\"
_SHORTEST_BODY = 32
_BEARER = re.compile(
    r"[Bb](?:earer|EARER)[ \t]{1,4}+((?=[^\s\d]{0,200}\d)[A-Za-z0-9._~+/=-]{16,}+)"
)
_BASIC = re.compile(r"[Bb](?:asic|ASIC)[ \t]{1,4}+([A-Za-z0-9+/]{6,}+={0,2})")
_AWS_SECRET = re.compile(r"[^A-Za-z0-9/+](?![0-9a-fA-F]{40})([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])")
_AWS_NEAR = 120


def find_url_credentials(text: str, at: int) -> Finding | None:
    """The user and password of an address, ahead of its `@` at ``at``."""
    scheme = text.rfind("://", max(0, at - _FURTHEST), at)
    if scheme < 0:
        return None
    start = scheme + 3
    user = text[start:at]
    if not user or _NOT_IN_USER.search(user) or PLACEHOLDER.fullmatch(user):
        return None
    first, _, more = user.partition("@")
    http = text[max(0, scheme - 5) : scheme].lower().endswith(("http", "https"))
    if http and any(sign in more for sign in "/?#"):
        return None  # an `@` of the path: the user, if any, ended at an earlier one
    if ":" not in first:
        if not http or any(sign in first for sign in "/?#"):
            return None
    elif _PORT.match(user) or user.startswith("["):
        return None
    return Finding(URL_CREDENTIALS, start, at)


def find_email(text: str, at: int) -> Finding | None:
    """The e-mail address around the `@`, or the `%40`, at ``at``."""
    domain = _DOMAIN.match(text, at)
    if domain is None:
        return None
    local = _LOCAL_BEFORE.match(text[max(0, at - 256) : at][::-1])
    start = at - local.end() if local is not None else at
    escape = _ESCAPE_ENDS.match(text, start)
    start = escape.end() if escape is not None else start
    if start == at or text[start:at] in _NO_PERSONS:
        return None
    return Finding(EMAIL, start, domain.end())


def find_private_key(text: str, at: int) -> Finding | None:
    """The PEM file that begins at ``at``, to its end or, cut short, as far as it goes."""
    whole = _PEM.match(text, at)
    return Finding(PRIVATE_KEY, at, whole.end()) if whole is not None else None


def find_private_key_end(text: str, at: int, done: int) -> Finding | None:
    """The rest of a PEM file whose last line begins at ``at``, but not its first."""
    end = _PEM_END.match(text, at)
    if end is None:
        return None
    start = done + len(text[done:at].rstrip(_PEM_BODY))
    return Finding(PRIVATE_KEY, start, end.end()) if at - start >= _SHORTEST_BODY else None


def find_bearer(text: str, at: int) -> Finding | None:
    """The token behind `Bearer`, outside of a header too."""
    found = _BEARER.match(text, at)
    return Finding(BEARER, *found.span(1)) if found is not None else None


def find_basic(text: str, at: int) -> Finding | None:
    """The user and password behind `Basic`, which are `user:password` in base64."""
    found = _BASIC.match(text, at)
    if found is None:
        return None
    coded = found[1].rstrip("=")[:400]
    try:
        plain = binascii.a2b_base64(coded[: len(coded) // 4 * 4])
    except binascii.Error:
        return None
    return Finding(BASIC, *found.span(1)) if b":" in plain else None


def find_aws_secret(text: str, found: Finding) -> Finding | None:
    """The secret that stands close behind an access key's id, as in a file of credentials."""
    if found.kind != AWS_KEY_ID:
        return None
    secret = _AWS_SECRET.search(text, found.end, found.end + _AWS_NEAR)
    return Finding(AWS_SECRET, *secret.span(1)) if secret is not None else None
