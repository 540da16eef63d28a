"""Texts of bounded length."""

from __future__ import annotations

ELLIPSIS = "…"

_LONGEST_WORD = 256


def clean(text: str) -> str:
    """``text`` in characters that UTF-8 has: file names can bring in others."""
    return str.encode(text, "utf-8", "replace").decode()


def shorten(text: str, most: int) -> str:
    """The start of ``text``, at most ``most`` characters, with an ellipsis where it is cut.

    It is cut between words where a word is not very long: half of a secret would no longer look
    like one to the redaction that follows.
    """
    text = str.__str__(text)  # a subclass of the host's may override what follows
    if len(text) <= most:
        return clean(text)
    if most < 1:
        return ""
    end = most - 1
    if not text[end].isspace():
        start = max(0, end - _LONGEST_WORD)
        cut = max(text.rfind(space, start, end) for space in " \n\t")
        end = end if cut < 0 else cut
    return clean(text[:end]) + ELLIPSIS
