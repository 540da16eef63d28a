"""`inject()` and `continue_trace()`: a trace goes on across HTTP requests and messages."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar, overload

from autogpt_observe.runtime.active import ACTIVE
from autogpt_observe.runtime.propagation.formats import names, read, report, write
from autogpt_observe.runtime.scopes import CURRENT
from autogpt_observe.runtime.traces.context import SLOT, ids_of, span_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.context.context import Context

    from autogpt_observe.runtime.scopes import Scope

    Text = str | bytes
    Headers = Mapping[str, object] | Mapping[bytes, object] | Iterable[tuple[Text, object]]
    Mutable = TypeVar("Mutable", bound=MutableMapping[str, str])

_WSGI = "HTTP_"
_ENTERED: ContextVar[object] = ContextVar("autogpt_observe_continued", default=None)
"""Its tokens know the context they were made in."""


@overload
def inject(headers: dict[str, str], /) -> dict[str, str]: ...
@overload
def inject(headers: Mutable, /) -> Mutable: ...
def inject(headers: Mutable, /) -> Mutable:
    """Add to ``headers`` what tells the receiver of the current trace; returns them.

    `requests.get(url, headers=obs.inject({}))`. They are written in place; what stood under those
    names, in whatever case, is replaced. Baggage has at most 8,192 characters. Without `init` or
    a current span nothing is added.
    """
    if ACTIVE.hub is None:
        return headers
    written = write(SLOT.get())
    if not written:
        return headers
    try:
        stale = {name.lower() for name in names()}
        for name in [name for name in headers if name.lower() in stale]:
            del headers[name]
        headers.update(written)
    except Exception as error:  # noqa: BLE001  # such as headers that can't be changed
        report("obs.inject", error)
    return headers


def continue_trace(headers: Headers | None, /) -> ContinuedTrace:
    """For a `with` block: what begins inside of it is part of the trace that ``headers`` tell of.

    `with obs.continue_trace(request.headers), obs.agent("answerer"):`. It takes what frameworks
    have: mappings of text or bytes, pairs (ASGI's `scope["headers"]`, those of Kafka), and WSGI's
    environ. Malformed headers are as good as none and begin a new trace. Where an instrumentation
    of the framework has continued the trace already, its span stays the current one.
    """
    return ContinuedTrace(headers)


class ContinuedTrace:
    """A block whose trace began elsewhere. On its way out it leaves the context as it was."""

    __slots__ = ("_before", "_headers", "_token")

    def __init__(self, headers: Headers | None) -> None:
        self._headers = headers
        self._before: tuple[Scope | None, Context] | None = None
        self._token: Token[object] | None = None

    def __enter__(self) -> None:
        if ACTIVE.hub is None or self._before is not None:
            return
        outside = SLOT.get()
        self._before = CURRENT.get(), outside
        self._token = _ENTERED.set(self)
        SLOT.set(_continued(_normalised(self._headers), outside))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        before, self._before = self._before, None
        token, self._token = self._token, None
        if before is None or token is None:
            return
        try:
            _ENTERED.reset(token)
        except ValueError:  # it is left elsewhere, such as in another task: nothing to undo there
            return
        CURRENT.set(before[0])
        SLOT.set(before[1])


def _continued(headers: Mapping[str, str], context: Context) -> Context:
    inside = read(headers, context)
    there, here = ids_of(span_in(inside)), ids_of(span_in(context))
    is_known = there is not None and here is not None and there.trace_id == here.trace_id
    # an instrumentation of the framework may have been here before
    return context if is_known and here is not None and not here.is_remote else inside


def _normalised(headers: Headers | None) -> dict[str, str]:
    """By name in lower case; several of one name are one, as RFC 9110, section 5.3 says."""
    known: dict[str, str] = {}
    try:
        items = () if headers is None else getattr(headers, "items", headers.__iter__)()
        for item in items:
            if isinstance(item, tuple | list) and len(item) == 2:  # noqa: PLR2004  # a pair
                _take(known, *item)
    except Exception as error:  # noqa: BLE001  # headers of no known kind
        report("obs.continue_trace", error)
    return known


def _take(known: dict[str, str], name: object, value: object) -> None:
    name = _text(name)
    if name is None:
        return
    key = name[len(_WSGI) :].replace("_", "-") if name.startswith(_WSGI) else name
    key = key.lower()
    for each in value if isinstance(value, list | tuple) else (value,):
        text = _text(each)
        if text is not None:
            known[key] = f"{known[key]},{text}" if key in known else text


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else None
