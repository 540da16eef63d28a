"""Which version of the GenAI conventions spans follow, and whether they carry content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autogpt_observe.errors import UsageError
from autogpt_observe.names import SETTING_PREFIX
from autogpt_observe.runtime.traces.conventions.vocabulary import Version

if TYPE_CHECKING:
    from collections.abc import Mapping

CONVENTIONS = f"{SETTING_PREFIX}GENAI_CONVENTIONS"
OPT_IN = "OTEL_SEMCONV_STABILITY_OPT_IN"
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

LATEST = "gen_ai_latest_experimental"
"""The value of `OTEL_SEMCONV_STABILITY_OPT_IN` that asks for the latest version:
https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-spans.md"""

DEFAULT = Version.RELEASED
"""A release changes no name under anyone's dashboards, as `main` does, and other instrumentations
in the same process write the very same names, so that one query finds all spans of a trace."""

_ON = frozenset({"span_only", "span_and_event", "true"})
"""`EVENT_ONLY` asks for content on log events alone, which spans don't have. The values are those
of opentelemetry-util-genai 1.3b0 (`ContentCapturingMode`); `true` is what came before them:
https://github.com/open-telemetry/opentelemetry-python-contrib/blob/main/util/opentelemetry-util-genai/src/opentelemetry/util/genai/utils.py"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What spans are like.

    Attributes:
        version: whose names they use.
        captures_content: whether they carry prompts, completions, tool arguments and results.
    """

    version: Version = DEFAULT
    captures_content: bool = False


def read_choice(
    environ: Mapping[str, str],
    *,
    version: str | None = None,
    capture_content: bool | None = None,
) -> Choice:
    """The arguments, completed from the environment; an empty variable counts as unset.

    An unknown value of OpenTelemetry's own variables changes nothing, as with their packages.

    Raises:
        UsageError: there is no such version.
    """
    captures = environ.get(CAPTURE, "").strip().lower() in _ON
    return Choice(
        version=_read_version(environ, version),
        captures_content=captures if capture_content is None else capture_content,
    )


def _read_version(environ: Mapping[str, str], argument: str | None) -> Version:
    place, text = "genai_conventions", argument
    if text is None:
        place, text = CONVENTIONS, environ.get(CONVENTIONS, "")
        if not text:
            opted = {value.strip() for value in environ.get(OPT_IN, "").split(",")}
            return Version.MAIN if LATEST in opted else DEFAULT
    try:
        return Version(text)
    except ValueError:
        known = ", ".join(f"`{each}`" for each in Version)
        raise UsageError(f"{place}: got {text!r:.80}, expected one of {known}") from None
