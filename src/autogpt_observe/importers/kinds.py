"""What kind of file it is, told by its content, and the reader of each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.importers.ledger import Part
from autogpt_observe.importers.openslo import read_openslo
from autogpt_observe.importers.rule_files import read_rule_file
from autogpt_observe.importers.sloth import KUBERNETES, PLAIN, read_sloth
from autogpt_observe.importers.sources import Sources, join
from autogpt_observe.importers.unit_tests import read_unit_tests
from autogpt_observe.spec.tree import Scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autogpt_observe.diagnostics import Report
    from autogpt_observe.importers.documents import Document
    from autogpt_observe.importers.ledger import Ledger

OPENSLO = "openslo/v1"
_SLOTH = "prometheus/v1"
_RULE = ("monitoring.coreos.com/v1", "PrometheusRule")
_SLOTH_OBJECT = ("sloth.slok.dev/v1", "PrometheusServiceLevel")
_READ = (
    "what is read: Prometheus rules (`groups`), their unit tests (`tests`), Sloth"
    " (`version: prometheus/v1`), OpenSLO (`apiVersion: openslo/v1`), and the objects"
    " `PrometheusRule` and `PrometheusServiceLevel`"
)


def read_documents(documents: Sequence[Document], ledger: Ledger, report: Report) -> Sources:
    """Everything the documents say; one of no known kind is an error."""
    found, objects = [], []
    for document in documents:
        root = Part(document.root, "the file", ledger)
        if _word(root, "apiVersion") == OPENSLO:
            objects.append(root)
        else:
            found.append(_read(root, ledger, report))
    return join([*found, read_openslo(objects)])


def _read(root: Part, ledger: Ledger, report: Report) -> Sources:
    version, kind = _word(root, "apiVersion"), _word(root, "kind")
    if (version, kind) in (_RULE, _SLOTH_OBJECT):
        root.ignore(("apiVersion", "kind"))
        spec = root.part("spec")
        if spec is None:
            root.of = f"the {kind}"
            root.drop("it has no `spec`")
            return Sources()
        spec.of = f"the {kind}"
        return read_rule_file(spec) if (version, kind) == _RULE else read_sloth(spec, KUBERNETES)
    if _word(root, "version") == _SLOTH:
        root.ignore(("version",))
        return read_sloth(root, PLAIN)
    if root.has("groups"):
        return read_rule_file(root)
    if root.has("tests"):
        return read_unit_tests(root)
    if version and kind and not version.startswith("openslo"):
        root.of = f"the {kind}"
        root.drop(f"no importer reads a `{kind}` of `{version}`", root.at_key("kind"))
        return Sources()
    ledger.settle(root.node)
    named = f"`apiVersion: {version}`" if version else "a file of this kind"
    at = root.at_key("apiVersion")
    report.error("import/kind", f"can't import {named}", at, fix=_READ)
    return Sources()


def _word(root: Part, key: str) -> str:
    node = root.node.get(key)
    return node.text if isinstance(node, Scalar) else ""
