"""A program, a real Prometheus, a real Alertmanager and a webhook receiver, on this machine."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

from autogpt_observe.errors import ToolError
from autogpt_observe.names import HostPort, Url
from autogpt_observe.output.tools import find_tool, install_hint
from autogpt_observe.proof.api import NoAnswerError, PrometheusApi, Target, is_ready
from autogpt_observe.proof.ports import LOOPBACK, on_free_port
from autogpt_observe.proof.process import Child, Children
from autogpt_observe.proof.waiting import Interrupts, wait_for
from autogpt_observe.proof.webhook import WebhookReceiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from autogpt_observe.units import Duration

T = TypeVar("T")

START_SECONDS = 30.0
"""How long one part may take until it works; far more than an idle machine needs."""

PROMETHEUS_FILE = "rules/prometheus.yml"
ALERTMANAGER_FILE = "rules/alertmanager.yml"
_PORTS = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where the parts of a stack reach each other."""

    program: HostPort
    alertmanager: HostPort
    webhook: Url


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """What a stack is made of.

    Attributes:
        name: what messages call the program.
        argv: the program; it prints the port of its /metrics as its first line, and runs on.
        program_environ: its environment.
        render: the files for these endpoints, by relative path; among them
            :data:`PROMETHEUS_FILE` and :data:`ALERTMANAGER_FILE`.
        resend_delay: how often Prometheus tells Alertmanager of an alert that goes on.
        environ: where the two servers are looked for, and what they run with.
    """

    name: str
    argv: Sequence[str]
    program_environ: Mapping[str, str]
    render: Callable[[Endpoints], Mapping[str, str]]
    resend_delay: Duration
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A running stack; made by :func:`run_stack`."""

    children: Children
    interrupts: Interrupts
    program: Child
    webhook: WebhookReceiver
    prometheus: PrometheusApi

    def wait_for(self, probe: Callable[[], T | None], *, within: float) -> T | None:
        """Like :func:`waiting.wait_for`; raises EndedEarlyError when a part ends meanwhile."""
        return _wait_for(probe, within, self.children, self.interrupts)


@contextmanager
def run_stack(
    blueprint: Blueprint,
    *,
    interrupts: Interrupts,
    started: Callable[[str, str], None] = lambda _name, _url: None,
) -> Iterator[Stack]:
    """Start a stack and yield it once the program is scraped; afterwards nothing of it is left.

    Args:
        blueprint: what to start.
        interrupts: entered by the caller, so that it still holds while the stack is stopped.
        started: told the name of each part and its address, as soon as it works.

    Raises:
        ToolError: a server is missing, or a part ends early or does not work in time; the message
            has the last lines it wrote.
    """
    servers = {name: _require(name, blueprint.environ) for name in ("alertmanager", "prometheus")}
    with (
        TemporaryDirectory(prefix="autogpt-observe-") as folder,
        Children(Path(folder)) as children,
        WebhookReceiver() as webhook,
    ):
        start = _Start(blueprint, Path(folder).resolve(), children, interrupts, started)
        program, address = start.program()
        on_free_port(
            lambda port: start.alertmanager(
                servers["alertmanager"],
                Endpoints(program=address, alertmanager=_address(port), webhook=webhook.url),
            )
        )
        prometheus = on_free_port(lambda port: start.prometheus(servers["prometheus"], port))
        start.scrape(prometheus, address)
        yield Stack(
            children=children,
            interrupts=interrupts,
            program=program,
            webhook=webhook,
            prometheus=prometheus,
        )


@dataclass(frozen=True, slots=True)
class _Start:
    """The steps of a start, in their order."""

    blueprint: Blueprint
    folder: Path
    children: Children
    interrupts: Interrupts
    started: Callable[[str, str], None]

    def program(self) -> tuple[Child, HostPort]:
        blueprint = self.blueprint
        child = self.children.start(
            blueprint.name, blueprint.argv, environ=blueprint.program_environ, stdin=True
        )
        line = self._await(child.first_line, f"{child.name} did not print its port")
        if not (line.isdigit() and 0 < int(line) < _PORTS):
            raise ToolError(f"{child.name} printed {line!r} first, not the port of its /metrics")
        address = _address(int(line))
        self.started(child.name, f"http://{address}/metrics")
        return child, address

    def alertmanager(self, path: str, endpoints: Endpoints) -> None:
        for name, text in self.blueprint.render(endpoints).items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        self._server(
            "alertmanager",
            path,
            endpoints.alertmanager,
            f"--config.file={self.folder / ALERTMANAGER_FILE}",
            f"--storage.path={self.folder / 'alertmanager'}",
            "--cluster.listen-address=",
        )

    def prometheus(self, path: str, port: int) -> PrometheusApi:
        address = _address(port)
        url = self._server(
            "prometheus",
            path,
            address,
            f"--config.file={self.folder / PROMETHEUS_FILE}",
            f"--storage.tsdb.path={self.folder / 'prometheus'}",
            f"--rules.alert.resend-delay={self.blueprint.resend_delay}",
            "--rules.alert.for-grace-period=0s",
        )
        return PrometheusApi(url)

    def scrape(self, prometheus: PrometheusApi, address: HostPort) -> None:
        seen: list[Target] = []

        def is_up() -> bool | None:
            seen[:] = [target for target in prometheus.targets() if target.address == address]
            return any(target.health == "up" for target in seen) or None

        if not _wait_for(is_up, START_SECONDS, self.children, self.interrupts):
            found = f"{seen[0].health} {seen[0].error}".strip() if seen else "not among its targets"
            raise ToolError(
                f"prometheus did not scrape {address} in {START_SECONDS:.0f} s: it is {found};"
                f" the programs last wrote:\n{self.children.tails()}"
            )

    def _server(self, name: str, path: str, address: HostPort, *flags: str) -> str:
        url = f"http://{address}"
        argv = (path, "--log.level=warn", f"--web.listen-address={address}", *flags)
        # the pages link to each other by this machine's name, where nobody listens, unless told
        argv += (f"--web.external-url={url}",)
        self.children.start(name, argv, environ=self.blueprint.environ)
        self._await(lambda: is_ready(url) or None, f"{name} did not get ready at {url}")
        self.started(name, url)
        return url

    def _await(self, probe: Callable[[], T | None], failure: str) -> T:
        found = _wait_for(probe, START_SECONDS, self.children, self.interrupts)
        if found is None:
            wrote = f"the programs last wrote:\n{self.children.tails()}"
            raise ToolError(f"{failure} in {START_SECONDS:.0f} s; {wrote}")
        return found


def _wait_for(
    probe: Callable[[], T | None], within: float, children: Children, interrupts: Interrupts
) -> T | None:
    def watched() -> T | None:
        children.check()
        with suppress(NoAnswerError):
            return probe()
        return None

    return wait_for(watched, within=within, interrupts=interrupts)


def _require(name: str, environ: Mapping[str, str]) -> str:
    path = find_tool(name, environ)
    if path is None:
        raise ToolError(f"{name} is not installed; {install_hint(name)}")
    return str(path)


def _address(port: int) -> HostPort:
    return HostPort.parse(f"{LOOPBACK}:{port}")
