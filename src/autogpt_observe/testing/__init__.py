"""For the tests of agents: what was observed, on a clock that stands still.

Without network, files, ports and threads. pytest gets the fixture `observed` by itself; elsewhere
it is `with testing.observe() as observed:`.
"""

from __future__ import annotations

__all__ = [
    "CountingIds",
    "FakeClock",
    "NotObservedError",
    "Observed",
    "ObservedEvent",
    "ObservedSpan",
    "events",
    "observe",
]

# Type checkers take the name for typing.TYPE_CHECKING; pytest loads this module at each start.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from autogpt_observe.runtime import events
    from autogpt_observe.testing.clock import FakeClock
    from autogpt_observe.testing.failures import NotObservedError
    from autogpt_observe.testing.ids import CountingIds
    from autogpt_observe.testing.observed import Observed
    from autogpt_observe.testing.session import observe
    from autogpt_observe.testing.spans import ObservedEvent, ObservedSpan

_HOMES = {
    "CountingIds": "autogpt_observe.testing.ids",
    "FakeClock": "autogpt_observe.testing.clock",
    "NotObservedError": "autogpt_observe.testing.failures",
    "Observed": "autogpt_observe.testing.observed",
    "ObservedEvent": "autogpt_observe.testing.spans",
    "ObservedSpan": "autogpt_observe.testing.spans",
    "events": "autogpt_observe.runtime",
    "observe": "autogpt_observe.testing.session",
}
"""Where each public name is defined; its module is imported when the name is first used."""


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  # nothing is loaded before it is used

    if name == "events":  # a module itself
        value: object = import_module(f"{home}.{name}")
    else:
        value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
