"""Acts on modules that the host may never import, at the moment that it does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import ExitStack
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    Then = Callable[[ModuleType], None]


def when_imported(actions: Mapping[str, Then], undo: ExitStack) -> None:
    """Act on each module, by name: now if it is there, else once it is, until ``undo`` is closed.

    An action must not raise.
    """
    missing: dict[str, Then] = {}
    for name, act in actions.items():
        module = sys.modules.get(name)
        if module is None:
            missing[name] = act
        else:
            act(module)
    if missing:
        finder = _Finder(missing)
        sys.meta_path.insert(0, finder)
        undo.callback(_remove, finder)


def _remove(finder: _Finder) -> None:
    if finder in sys.meta_path:
        sys.meta_path.remove(finder)


class _Finder:
    """Finds nothing by itself: it has the others find a module, and acts when it is loaded."""

    def __init__(self, awaited: dict[str, Then]) -> None:
        self._awaited = awaited

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        act = self._awaited.pop(name, None)  # so that it is not asked again below
        if act is None:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find is not None else None
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, act)  # type: ignore[assignment]  # like one
                return spec
        return None


class _Loader:
    """Loads a module as ``loader`` does, and acts on it then."""

    def __init__(self, loader: Any, act: Then) -> None:
        self._loader = loader
        self._act = act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def exec_module(self, module: ModuleType) -> None:
        """Run its code."""
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._act(module)
