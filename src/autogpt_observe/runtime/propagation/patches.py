"""Replaces methods of classes that are not ours, and puts them back."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    Method = Callable[..., Any]
    Make = Callable[[Method, "Switch"], Method]
    """Makes the replacement of a method, which calls it."""


class Switch:
    """Whether replacements do anything but pass calls on."""

    __slots__ = ("on",)

    def __init__(self) -> None:
        self.on = True


def replace(owner: type, name: str, make: Make, undo: ExitStack) -> None:
    """Replace the method ``name`` that ``owner`` itself defines, until ``undo`` is closed.

    If somebody else has replaced it on top of that by then, theirs stays, and ours passes on.
    """
    before = owner.__dict__[name]
    original = getattr(owner, name)  # may differ: others' replacements can be descriptors
    switch = Switch()
    own = functools.wraps(original)(make(original, switch))
    setattr(owner, name, own)

    def put_back() -> None:
        switch.on = False
        if owner.__dict__.get(name) is own:
            setattr(owner, name, before)

    undo.callback(put_back)
