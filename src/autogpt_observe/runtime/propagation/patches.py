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
    """Replace the method ``name`` of ``owner``, its own or inherited, until ``undo`` is closed.

    If somebody else has replaced it on top of that by then, theirs stays, and ours passes on.
    """
    has_own = name in owner.__dict__
    before = owner.__dict__.get(name)
    original = getattr(owner, name)  # may differ: others' replacements can be descriptors
    switch = Switch()
    own = functools.wraps(original)(make(original, switch))
    setattr(owner, name, own)

    def put_back() -> None:
        switch.on = False
        if owner.__dict__.get(name) is not own:
            return
        if has_own:
            setattr(owner, name, before)
        else:
            delattr(owner, name)

    undo.callback(put_back)
