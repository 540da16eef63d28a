from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from small_specs import panel

from autogpt_observe.names import Name
from autogpt_observe.render.grafana.dashboard import dashboard_uid, grafana_interval
from autogpt_observe.render.grafana.layout import COLUMNS, place_panels
from autogpt_observe.spec.model import PanelKind
from autogpt_observe.units import Duration


@given(st.integers(min_value=1, max_value=10**9))
def test_grafanas_intervals_have_one_unit(ms: int) -> None:
    text = grafana_interval(Duration(ms))
    assert Duration.parse(text) == Duration(ms)
    assert text.rstrip("ms").isdigit()


@given(st.lists(st.sampled_from(PanelKind), min_size=1, max_size=30), st.integers(0, 100))
def test_panels_tile_their_row(kinds: list[PanelKind], top: int) -> None:
    panels = [panel(str(n), kind=kind) for n, kind in enumerate(kinds)]
    placed = list(place_panels(panels, top=top))
    assert [one for one, _ in placed] == panels
    cells = [
        (x, y)
        for _, place in placed
        for x in range(place.x, place.x + place.w)
        for y in range(place.y, place.y + place.h)
    ]
    bottom = max(place.y + place.h for _, place in placed)
    assert sorted(cells) == [(x, y) for x in range(COLUMNS) for y in range(top, bottom)]


@given(st.from_regex(Name.PATTERN, fullmatch=True), st.from_regex(Name.PATTERN, fullmatch=True))
def test_uids_are_short_and_tell_long_names_apart(service: str, name: str) -> None:
    uid = dashboard_uid(service, name)
    assert uid == dashboard_uid(service, name)
    assert 0 < len(uid) <= 40
    assert uid != dashboard_uid(service, f"{name}x")
