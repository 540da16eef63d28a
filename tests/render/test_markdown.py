"""Text put into Markdown is read back as it was, by a reader of its own."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_reader import html_of, shown

from autogpt_observe.render import markdown

PIECES = st.one_of(
    st.sampled_from(
        [
            *("_", "__", "*", "**", "`", "``", "|", "\\", "\\|", "<b>", "<", ">", "&amp;", "&#65;"),
            *("[a]", "](b)", "!", "#", "# ", "- ", "+ ", "1.", "2)", "=", "~~", "$x$", "{{ $v }}"),
            *("agent_run_total", " ", "\n", "a", "é", "1", ":", "---", ".", "{", "}", '"', "'"),
        ]
    ),
    st.characters(codec="ascii", exclude_categories=["Cc"]),
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


def one_line(text: str) -> str:
    return " ".join(text.split())


@settings(max_examples=600, deadline=None, database=None)
@given(TEXTS)
def test_an_escaped_text_shows_as_it_is(text: str) -> None:
    assert one_line(shown(markdown.escape(text))) == one_line(text)


@settings(max_examples=400, deadline=None, database=None)
@given(TEXTS)
def test_an_escaped_text_shows_as_it_is_in_a_list_and_in_a_cell(text: str) -> None:
    listed = html_of(markdown.bullets([markdown.escape(text), "b"]))
    assert listed.count("<li>") == 2
    cells = html_of(markdown.table(["a", "b"], [[f"x{markdown.escape(text)}", "last"]]))
    assert re.findall(r"<td>(last)</td>", cells) == ["last"]
    assert cells.count("<td>") == 2
    assert f"x{one_line(text)}" in one_line(shown(cells))


@settings(max_examples=400, deadline=None, database=None)
@given(TEXTS)
def test_code_shows_as_it_is_everywhere(text: str) -> None:
    wanted = one_line(text) or one_line(f'"{text}"')
    assert one_line(shown(markdown.code(text))) == wanted
    cells = html_of(markdown.table(["a"], [[markdown.code(text)]]))
    assert cells.count("<td>") == 1
    assert wanted in one_line(shown(cells))


@settings(max_examples=300, deadline=None, database=None)
@given(st.lists(st.one_of(PIECES, st.sampled_from(["```", "\n```\n", "~~~"])), max_size=12))
def test_a_block_shows_its_text(pieces: list[str]) -> None:
    text = "".join(pieces).rstrip()
    assert shown(markdown.fenced(text, "promql")).rstrip() == text.strip("\n").rstrip() or not text


@settings(max_examples=400, deadline=None, database=None)
@given(st.text("ab_*<|[]& ", max_size=12), st.text("ab_*<|[]& ", max_size=12))
def test_prose_keeps_code_and_links_and_nothing_else(before: str, after: str) -> None:
    text = f"{before} `a_b*c*` [the board](https://x.example/a_b_) {{{{ $value }}}} {after}"
    rendered = html_of(markdown.prose(text))
    assert "<code>a_b*c*</code>" in rendered
    assert '<a href="https://x.example/a_b_">the board</a>' in rendered
    assert "<code>{{ $value }}</code>" in rendered
    wanted = f"{before} a_b*c* the board {{{{ $value }}}} {after}"
    assert one_line(shown(markdown.prose(text))) == one_line(wanted)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("autogpt_runs_total of _one_", r"autogpt_runs_total of \_one\_"),
        ("see https://x.example/a_b.", "see <https://x.example/a_b>."),
        ("1. first", r"1\. first"),
        ("- a | b", r"\- a \| b"),
        ("`a|b`", "<code>a&#124;b</code>"),
        ("[x](javascript:alert)", r"\[x\]\(javascript:alert)"),
        ("<script>", r"\<script>"),
        ("a\n  b", "a b"),
        ("", ""),
    ],
)
def test_prose(text: str, written: str) -> None:
    assert markdown.prose(text) == written


def test_prose_leads_to_pages_by_their_names() -> None:
    text = "see ToolFailing, `ToolFailing`, ToolFailingToo or RunLooping; Tool"
    assert markdown.prose(text, {"ToolFailing": "ToolFailing.md", "Tool": "Tool.md"}) == (
        "see [`ToolFailing`](ToolFailing.md), `ToolFailing`, ToolFailingToo or RunLooping; Tool"
    )


def test_anchors_are_those_of_github() -> None:
    titles = ["All metrics", "`a_b`", "a_B", "site:pages:rate5m", "What it means?", "a_b"]
    assert markdown.anchors(titles) == [
        *("all-metrics", "a_b", "a_b-1", "sitepagesrate5m", "what-it-means", "a_b-2")
    ]


def test_links_to_paths_with_odd_characters() -> None:
    assert markdown.link("a", "b (c).md") == "[a](<b (c).md>)"
    assert '<a href="b%20(c).md">a</a>' in html_of(markdown.link("a", "b (c).md"))
