"""The pytest plugin: the fixture `observed`, and the marker that sets it up.

pytest loads this at each start, so what the fixture needs is imported when it is asked for.
"""

from __future__ import annotations

from contextlib import ExitStack

import pytest

TYPE_CHECKING = False  # as in `typing`, without loading it
if TYPE_CHECKING:
    from collections.abc import Iterator

    from autogpt_observe.testing.observed import Observed

_MARKER = (
    "observe(spec, *, environment, variables, capture_content, strict, clock): what the fixture"
    " `observed` observes; the arguments are those of autogpt_observe.testing.observe"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the setting that says where the spec is."""
    parser.addini(
        "observe_spec",
        "the spec that the fixture `observed` observes, below the root of the tests;"
        " default: observe.yaml there, else the packaged one",
        default="",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def observed(request: pytest.FixtureRequest) -> Iterator[Observed]:
    """Observe what the code under test does: metrics, spans, events and log lines."""
    from autogpt_observe.errors import ObserveError  # noqa: PLC0415  # as the module says
    from autogpt_observe.testing.fixture import open_observation  # noqa: PLC0415  # as above

    with ExitStack() as stack:
        try:
            seen = stack.enter_context(open_observation(request.node, request.config))
        except ObserveError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        yield seen
