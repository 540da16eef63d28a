"""Templates are refused where Prometheus refuses them: promtool is the judge."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogpt_observe.gotemplate import (
    FUNCTIONS,
    Action,
    TemplateSyntaxError,
    parse_template,
)
from autogpt_observe.promql.build import quote_string

if TYPE_CHECKING:
    from pathlib import Path

GOOD = (
    "plain }} text { {",
    "{{ $value }}{{.Value}}{{ .Labels.job }}{{ $labels.job }}{{ $.Labels.job }}",
    "{{- $value -}} {{/* a } note */}} {{- /* trimmed */ -}}",
    '{{ printf "%.2f }}" $value }}',
    "{{ printf `%q` $labels.job | toUpper | printf `%s-%s` `a` }}",
    "{{ if gt $value 5.0 }}a{{ else if eq $labels.job `x` }}b{{ else }}c{{ end }}",
    '{{ with query "up" }}{{ . | first | value | humanize }}{{ else }}none{{ end }}',
    '{{ range $index, $sample := query "up" }}{{ $index }}{{ $sample.Labels.job }}{{ end }}',
    '{{ range query "up" }}{{ .Labels.instance }}{{ .Value }}{{ end }}',
    "{{ $x := $value }}{{ $x }}{{ $x = 5.0 }}",
    '{{ index $labels "a-b" }}{{ (index .Labels "c") | title }}',
    "{{ len $labels }}{{ not true }}{{ and true (or false nil) }}",
    '{{ define "x" }}{{ .Anything }}{{ end }}{{ template "x" . }}',
    "{{ $externalLabels.region }}{{ $externalURL }}{{ .ExternalURL }}",
    '{{ args 1 "a" }}{{ -1 }}{{ 1.5e3 }}{{ 0x1F }}',
    '{{ reReplaceAll "a(.*)" "b$1" $labels.job }}',
    "{{ 'x' }}",
    "{{ $value | }}",
)
BAD = (
    ("{{ $value", "`{{` is never closed", 0, 2),
    ("a {{ $value }", "`{{` is never closed", 2, 2),
    ("{{ }}", "there is nothing between `{{` and `}}`", 0, 5),
    ("{{ humanise $value }}", "there is no template function `humanise`", 3, 8),
    ("{{ | title }}", "nothing stands before `|`", 3, 1),
    ("{{ $vlaue }}", "there is no variable `$vlaue`", 3, 6),
    ("{{ if $value }}a", "`if` is never closed", 3, 2),
    ("{{ if }}a{{ end }}", "nothing follows `if`", 3, 2),
    ("a{{ end }}", "`end` closes nothing", 4, 3),
    ("a{{ else }}b", "`else` stands outside of `if`", 4, 4),
    ("{{ ($value }}", "`(` is never closed", 3, 1),
    ("{{ $value) }}", "`)` closes nothing", 9, 1),
    ('{{ "open }}', 'the string has no closing "', 3, 6),
    ("{{ $labels.a-b }}", "unexpected character `-`", 12, 1),
    ("{{ $value | 5 }}", "`5` is no function, so nothing can be passed on to it", 12, 1),
    (
        "{{ $value | `x` }}",
        "`\u0060x\u0060` is no function, so nothing can be passed on to it",
        12,
        3,
    ),
)
"""Refused when the rules are loaded."""
FAILING = (
    ("{{ .CommonLabels }}", "an alert's template has no `.CommonLabels`", 3, 13),
    ("{{ $value.x }}", "`$value` is a number and has no fields", 9, 2),
    ("{{ $labels.a.b }}", "a label is a text and has no fields", 12, 2),
)
"""Refused when the alert is evaluated."""


@pytest.mark.parametrize("text", GOOD)
def test_what_is_read(text: str) -> None:
    pieces = parse_template(text).pieces
    actions = [piece for piece in pieces if isinstance(piece, Action)]
    assert all(text[a.start : a.start + 2] == "{{" and text[: a.end][-2:] == "}}" for a in actions)


@pytest.mark.parametrize(("text", "message", "offset", "length"), [*BAD, *FAILING])
def test_what_is_refused_says_where(text: str, message: str, offset: int, length: int) -> None:
    with pytest.raises(TemplateSyntaxError) as caught:
        parse_template(text)
    error = caught.value
    assert (str(error), error.offset, error.length) == (message, offset, length)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="apt-get install prometheus")
def test_promtool_is_of_the_same_mind(tmp_path: Path) -> None:
    verdicts = {}
    for text in (*GOOD, *(bad[0] for bad in BAD)):
        rule = f"{{alert: A, expr: up, annotations: {{text: {quote_string(text)}}}}}"
        path = tmp_path / "rules.yml"
        path.write_text(f"groups: [{{name: g, rules: [{rule}]}}]", encoding="utf-8")
        run = subprocess.run(
            ["promtool", "check", "rules", str(path)], capture_output=True, check=False
        )
        verdicts[text] = run.returncode == 0
    assert verdicts == {**dict.fromkeys(GOOD, True), **{bad[0]: False for bad in BAD}}


def test_the_labels_a_template_uses() -> None:
    text = (
        '{{ $labels.a }}{{ .Labels.b }}{{ index $labels "c-d" }}{{ $labels }}'
        '{{ with query "up" }}{{ .Labels.other }}{{ $labels.e }}{{ end }}'
    )
    uses = parse_template(text).labels
    assert [(use.label, text[use.start : use.end]) for use in uses] == [
        ("a", "$labels.a"),
        ("b", ".Labels.b"),
        ("c-d", '"c-d"'),
        ("e", "$labels.e"),
    ]


@pytest.mark.parametrize(
    ("function", "version", "fits"),
    [
        ("now", (3, 5, 0), False),
        ("now", (3, 6, 0), True),
        ("urlQueryEscape", (3, 7, 0), False),
        ("urlQueryEscape", (3, 8, 0), True),
        ("humanize", (2, 0, 0), True),
    ],
)
def test_functions_have_their_version(
    function: str, version: tuple[int, int, int], *, fits: bool
) -> None:
    text = f"{{{{ {function} }}}}"
    if fits:
        assert parse_template(text, version=version).labels == ()
    else:
        with pytest.raises(TemplateSyntaxError, match=f"`{function}` needs Prometheus 3"):
            parse_template(text, version=version)


PIECES = st.lists(
    st.sampled_from(
        [
            *["{{", "}}", "{{- ", " -}}", "/*", "*/", " ", "$value", "$labels", ".x", "if", "end"],
            *["|", "(", ")", '"a"', "`", '"', "else", "range", ":=", "$x", ",", "1", "-"],
            *FUNCTIONS,
        ]
    ),
    max_size=10,
).map("".join)


@given(PIECES)
def test_garbage_is_read_or_refused_with_a_place(text: str) -> None:
    error = None
    try:
        template = parse_template(text)
        assert len(template.pieces) <= len(text)
    except TemplateSyntaxError as refused:
        error = refused
    if error is not None:
        assert 0 <= error.offset < max(1, len(text))
        assert error.length >= 1
        assert str(error)
