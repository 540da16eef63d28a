"""Nothing is dropped in silence: a key that nobody knows is in the spec, or it is listed."""

from __future__ import annotations

import pytest
from import_cases import CASES
from input_slips import changed, dump, inputs, places

from autogpt_observe.importers import import_files

STRANGER = "zz_stranger"
EXPECTED = ("rules", "checkout_test.yml", 0, "tests", 0, "alert_rule_test", 1, "exp_alerts", 0)
LOST_WHOLE = {
    ("openslo", "rest.yaml", 0, 1): "AlertCondition `fast-burn` is not carried over: ",
    ("openslo", "rest.yaml", 0, 2): "AlertNotificationTarget `mail` is not carried over: ",
    ("openslo", "rest.yaml", 0, 3): "SLO `slices` is not carried over: ",
    ("openslo", "web.yaml", 3, "spec", "timeWindow", 0, "calendar"): "the calendar of ",
    ("openslo", "web.yaml", 4): "AlertPolicy `pages` is not carried over: ",
    ("operator", "disk.yaml", 0, "metadata"): "`metadata` is not carried over: ",
    ("rules", "checkout.yml", 0, "groups", 1, "rules", 2): "the alert `Slow` is not carried over: ",
    ("rules", "checkout_test.yml", 0, "tests", 0, "promql_expr_test"): "`promql_expr_test` of ",
    (*EXPECTED, "exp_annotations"): "the test `all fail` of `CheckoutFails` is not carried over: ",
    ("sloth", "checkout.yml", 0, "slos", 3): "the objective `wifi` is not carried over: ",
    ("sloth", "checkout.yml", 0, "slos", 4): "the objective `by-plugin` is not carried over: ",
    ("sloth_object", "api.yaml", 0, "metadata"): "`metadata` is not carried over: ",
}
"""Parts of the cases that are listed as one, with how the finding starts."""
PLACES = [
    (case, name, path)
    for case in sorted(folder.name for folder in CASES.iterdir())
    for name, documents in inputs(case).items()
    for path, node in places(documents)
    if isinstance(node, dict)
]


@pytest.mark.parametrize(
    ("case", "name", "path"),
    [pytest.param(*place, id=f"{place[0]}-{'.'.join(map(str, place[2]))}") for place in PLACES],
)
def test_stranger_is_carried_over_or_listed(
    case: str, name: str, path: tuple[str | int, ...]
) -> None:
    files = dump(changed(inputs(case), name, (*path, STRANGER), "1"))
    imported = import_files(files)
    text = dict(files)[name].decode()
    line = next(n for n, at in enumerate(text.split("\n"), 1) if f"{STRANGER}:" in at)
    places = [found.at for found in imported.diagnostics if found.at is not None]
    told = any(at.source.name == name and at.line == line for at in places)
    place = (case, name, *path)
    whole = next((said for lost, said in LOST_WHOLE.items() if place[: len(lost)] == lost), None)
    if whole is not None and not told:
        assert any(found.message.startswith(whole) for found in imported.diagnostics)
    else:
        assert told or STRANGER in imported.text


def test_places_are_many() -> None:
    assert len(PLACES) > 120


def test_a_stranger_beside_known_keys_is_told_with_the_nearest() -> None:
    text = "groups:\n  - name: g\n    rules:\n      - {alert: A, expr: up == 0, fro: 5m}\n"
    imported = import_files([("r.yml", text.encode())])
    assert [
        str(f.at) + f" {f.message} = {f.fix}" for f in imported.diagnostics if "fro" in f.message
    ] == ["r.yml:4:35 `fro` is not carried over: it has no place in a spec = did you mean `for`?"]
