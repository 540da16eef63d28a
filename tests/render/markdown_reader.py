"""Reads Markdown with a reader of its own, which knows nothing of how it was written."""

from __future__ import annotations

import html
import importlib
import re
from functools import cache
from typing import Any

import pytest


@cache
def _parser() -> Any:
    try:
        markdown_it = importlib.import_module("markdown_it")
    except ImportError:
        return None
    return markdown_it.MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def html_of(text: str) -> str:
    """What the text becomes; the test skips where there is no reader."""
    if _parser() is None:
        pytest.skip("markdown-it-py is missing; pip install markdown-it-py")
    rendered: str = _parser().render(text)
    return rendered


def shown(text: str) -> str:
    """The text that people see, without any markup."""
    return html.unescape(re.sub(r"<[^<>]*>", "", html_of(text))).strip("\n")
