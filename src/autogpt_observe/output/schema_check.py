"""Checks every rendered YAML and JSON file against the schema of its format.

The schemas are JSON Schemas (draft 2020-12) in ``schemas/``. A new format is a file there and a
row in `SCHEMAS`. Where a pattern has a description, that is what a finding says was expected.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema

from autogpt_observe.diagnostics import did_you_mean
from autogpt_observe.output.documents import UnreadableError, read_documents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from autogpt_observe.output.documents import Json

SCHEMAS = (
    ("rules/*.rules.yml", "prometheus-rules"),
    ("rules/tests/*.yml", "promtool-tests"),
    ("rules/prometheus.yml", "prometheus"),
    ("rules/alertmanager.yml", "alertmanager"),
    ("rules/routing-tests.yml", "routing-tests"),
    ("dashboards/*.json", "grafana-dashboard"),
    ("dashboards/provisioning/dashboards.yml", "grafana-dashboard-provisioning"),
    ("dashboards/provisioning/datasources.yml", "grafana-datasource-provisioning"),
    ("deploy/kubernetes/*.yaml", "kubernetes"),
)
"""Which file has which format; ``*`` stays within a folder."""

ENDINGS = (".yml", ".yaml", ".json")
_MOST = 10
_LONGEST = 80


def check_schemas(files: Mapping[str, str]) -> list[str]:
    """What is wrong with the files (text by path), one line each; those of `ENDINGS` only."""
    findings: list[str] = []
    boards: dict[str, str] = {}
    for path, text in sorted(files.items()):
        schema = schema_for(path)
        if not path.endswith(ENDINGS):
            continue
        if schema is None:
            findings.append(f"{path}: no schema covers {path}")
            continue
        try:
            documents = read_documents(path, text)
        except UnreadableError as exc:
            findings.append(f"{path}: {exc}")
            continue
        findings += _limited(path, _check_documents(path, documents, schema))
        if schema == "grafana-dashboard":
            findings += _check_dashboard(path, documents[0], boards)
    return findings


def schema_for(path: str) -> str | None:
    """The name of the schema that covers ``path``, or None."""
    parts = path.split("/")
    for pattern, schema in SCHEMAS:
        globs = pattern.split("/")
        if len(globs) == len(parts) and all(map(fnmatchcase, parts, globs)):
            return schema
    return None


def _check_documents(path: str, documents: list[Json], schema: str) -> Iterator[str]:
    if not documents:
        yield f"{path}: is empty"
    for number, document in enumerate(documents, start=1):
        place = path if len(documents) == 1 else f"{path}: document {number}"
        for error in _validator(schema).iter_errors(document):
            at = _json_path(error.absolute_path)
            for complaint in _explain(error):
                yield f"{place}: {at}: {complaint}"


def _check_dashboard(path: str, document: Json, boards: dict[str, str]) -> Iterator[str]:
    """What no schema can say: ids of panels are unique, and so are the dashboards' own."""
    if not isinstance(document, dict):
        return
    uid = document.get("uid")
    if isinstance(uid, str):
        first = boards.setdefault(uid, path)
        if first != path:
            yield f"{path}: $.uid: got `{uid}`, which is the uid of {first} already"
    ids = Counter(
        panel["id"] for panel in _panels(document) if isinstance(panel.get("id"), int | str)
    )
    for number, count in ids.items():
        if count > 1:
            yield f"{path}: $.panels: {count} panels have the id {number}, expected one"


def _panels(holder: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    """The panels of a dashboard or of a collapsed row, and the panels in them."""
    panels = holder.get("panels")
    for panel in panels if isinstance(panels, list) else ():
        if isinstance(panel, dict):
            yield panel
            yield from _panels(panel)


@lru_cache
def _validator(schema: str) -> jsonschema.Draft202012Validator:
    text = resources.files(__package__).joinpath("schemas", f"{schema}.json").read_text("utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))


def _explain(error: jsonschema.ValidationError) -> Iterator[str]:
    """The error as `got ..., expected ...`; one that can't be put so in jsonschema's own words."""
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    keyword = str(error.validator)
    got: Any = error.instance  # its type is what the keyword is about
    want: Any = schema.get(keyword)
    match keyword:
        case "required":
            yield from (f"the key `{key}` is missing" for key in want if key not in got)
        case "additionalProperties":
            known = sorted(schema["properties"])
            for key in sorted(got.keys() - known):
                yield f"got the unknown key `{key}`; {did_you_mean(key, known)}"
        case "type":
            kinds = want if isinstance(want, list) else [want]
            yield f"got {_shown(got)}, expected {' or '.join(map(_kind, kinds))}"
        case "enum" | "const":
            words = ", ".join(map(_shown, want)) if keyword == "enum" else _shown(want)
            yield f"got {_shown(got)}, expected {words}"
        case "pattern":
            wanted = schema.get("description", f"text like {want}")
            yield f"got {_shown(got)}, expected {wanted}"
        case "minimum" | "maximum":
            bound = "at least" if keyword == "minimum" else "at most"
            yield f"got {_shown(got)}, expected {bound} {want}"
        case "minItems" | "minLength":
            what = "item" if keyword == "minItems" else "character"
            yield f"got {_shown(got)}, expected at least {want} {what}{'s' * (want != 1)}"
        case _:
            yield error.message


def _limited(path: str, lines: Iterable[str]) -> list[str]:
    """The lines without repetitions, cut off where one slip repeats through a whole file."""
    distinct = list(dict.fromkeys(lines))
    more = len(distinct) - _MOST
    return distinct[:_MOST] + ([f"{path}: and {more} more findings"] if more > 0 else [])


def _json_path(parts: Iterable[str | int]) -> str:
    path = "$"
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if part.isidentifier() else f"[{json.dumps(part)}]"
    return path


def _shown(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _kind(name: str) -> str:
    words = {"array": "a list", "string": "a text", "boolean": "true or false"}
    return words.get(name, f"an {name}" if name[0] in "aeio" else f"a {name}")
