"""/metrics over a real socket."""

from __future__ import annotations

import http.client
import logging
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text
from runtime_specs import metric, spec

import autogpt_observe as obs
from autogpt_observe.runtime.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

PAGES = spec(pages_total=metric("counter", "code"))
PROMETHEUS_ACCEPT = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


@contextmanager
def serving(
    registry: CollectorRegistry | None = None, *, host: str = "127.0.0.1"
) -> Iterator[tuple[str, int]]:
    observer = obs.init(PAGES, registry=registry, host=host, port=0)
    try:
        assert observer.host is not None
        assert observer.port is not None
        yield observer.host, observer.port
    finally:
        obs.shutdown()


def request(
    at: tuple[str, int], method: str, path: str, accept: str = "*/*"
) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection(*at, timeout=30)
    try:
        connection.request(method, path, headers={"Accept": accept})
        response = connection.getresponse()
        headers = {name: value for name, value in response.getheaders() if name != "Date"}
        return response.status, headers, response.read().decode()
    finally:
        connection.close()


def test_get() -> None:
    with serving() as at:
        obs.metric("pages_total").add(3)
        status, headers, body = request(at, "GET", "/metrics")
    assert status == 200
    assert headers == {
        "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
        "Content-Length": str(len(body)),
        "Vary": "Accept, Accept-Encoding",
    }
    (family,) = parse_text(body)
    assert [(sample.name, sample.value) for sample in family.samples] == [("pages_total", 3)]


def test_openmetrics_where_it_is_asked_for() -> None:
    with serving() as at:
        status, headers, body = request(at, "GET", "/metrics?x=1", PROMETHEUS_ACCEPT)
    assert status == 200
    assert headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0;")
    (family,) = parse_openmetrics(body)  # type: ignore[no-untyped-call]  # the client's
    assert [(sample.name, sample.value) for sample in family.samples] == [("pages_total", 0)]


def test_head_is_get_without_the_body() -> None:
    with serving() as at:
        got = request(at, "GET", "/metrics")
        assert request(at, "HEAD", "/metrics") == (*got[:2], "")
        with socket.create_connection(at, timeout=30) as client:
            client.sendall(b"HEAD /metrics HTTP/1.0\r\n\r\n")
            with client.makefile("rb") as response:
                assert response.read().endswith(b"\r\n\r\n")


def test_header_that_is_too_large() -> None:
    with serving() as at:
        assert request(at, "GET", "/metrics", accept="a" * 20_000)[0] == 431


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods(method: str) -> None:
    with serving() as at:
        status, headers, body = request(at, method, "/metrics")
    assert (status, headers["Allow"], body) == (405, "GET, HEAD", "method not allowed\n")


@pytest.mark.parametrize("path", ["/", "/metrics/", "/metric", "/favicon.ico", "/metrics%2F"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_paths(method: str, path: str) -> None:
    with serving() as at:
        status, headers, body = request(at, method, path)
    assert (status, body) == (404, "not found; see /metrics\n")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"


def test_connection_is_kept() -> None:
    with serving() as at:
        connection = http.client.HTTPConnection(*at, timeout=30)
        for _ in range(3):
            connection.request("GET", "/metrics")
            assert connection.getresponse().read().decode().startswith("# HELP pages_total")
        connection.close()


@pytest.mark.parametrize("nonsense", [b"\x00\xff\r\n\r\n", b"GET\r\n\r\n", b"G" * 20_000])
def test_nonsense_is_answered_not_logged(
    nonsense: bytes, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with serving() as at:
        with socket.create_connection(at, timeout=30) as client:
            client.sendall(nonsense)
            with suppress(OSError):  # the server may have hung up already
                client.shutdown(socket.SHUT_WR)
            with suppress(ConnectionResetError):  # it does not read on
                while client.recv(4096):
                    pass
        assert request(at, "GET", "/metrics")[0] == 200
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_many_scrapers_at_once_are_not_logged(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    statuses: list[int] = []
    with serving() as at:
        scrapers = [
            threading.Thread(target=lambda: statuses.append(request(at, "GET", "/metrics")[0]))
            for _ in range(20)
        ]
        for scraper in scrapers:
            scraper.start()
        for scraper in scrapers:
            scraper.join()
    assert statuses == [200] * 20
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_collector_that_raises(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def collect(self) -> Iterable[object]:
            raise LookupError("secret")

        def describe(self) -> Iterable[object]:
            return []

    registry = CollectorRegistry()
    broken = Broken()
    registry.register(broken)  # type: ignore[arg-type]  # that is the point
    with serving(registry) as at:
        for _ in range(2):
            status, headers, body = request(at, "GET", "/metrics")
            assert status == 500
            assert headers["Content-Type"] == "text/plain; charset=utf-8"
            assert body == (
                "a collector failed while the metrics were read; the log of this process has it\n"
            )
        registry.unregister(broken)  # type: ignore[arg-type]  # as above
        status, _, body = request(at, "GET", "/metrics")
        assert status == 200
        assert 'autogpt_observe_internal_errors_total{place="scrape"} 2.0' in body
    assert capfd.readouterr() == ("", "")
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("autogpt_observe", logging.ERROR)
    told, *_, last = record.getMessage().splitlines()
    assert told == "error in scrape; it is logged once"
    assert last.endswith("Error: secret")


def hello(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"hi"]


def test_slow_client_is_dropped() -> None:
    server = Server(hello, host="127.0.0.1", port=0, idle_seconds=1)
    try:
        with socket.create_connection((server.host, server.port), timeout=60) as client:
            client.sendall(b"GET / HTT")
            assert client.recv(100) == b""
    finally:
        server.stop()


def test_threads_and_port_are_free_after_shutdown() -> None:
    before = threading.enumerate()
    with serving() as at:
        names = sorted(thread.name for thread in set(threading.enumerate()) - set(before))
        assert names == [
            "autogpt-observe-server",
            "autogpt-observe-worker-0",
            "autogpt-observe-worker-1",
            "autogpt-observe-worker-2",
            "autogpt-observe-worker-3",
        ]
        kept = socket.create_connection(at, timeout=30)
        kept.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        assert kept.recv(15) == b"HTTP/1.1 200 OK"
    assert threading.enumerate() == before
    with kept:
        while kept.recv(4096):
            pass
    obs.init(PAGES, host=at[0], port=at[1])  # while the system still remembers the connection
    obs.shutdown()


def test_port_that_is_taken() -> None:
    before, registry = threading.enumerate(), CollectorRegistry()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(obs.UsageError) as caught:
            obs.init(PAGES, port=port, registry=registry)
    assert str(caught.value) == (
        f"127.0.0.1:{port} is taken by another program; `ss -ltnp 'sport = :{port}'` shows which."
        " Pass another `port` or set AUTOGPT_OBSERVE_PORT, 0 for a free one; the processes of one"
        " service share a port where PROMETHEUS_MULTIPROC_DIR is set"
    )
    assert threading.enumerate() == before
    assert registry._collector_to_names == {}  # noqa: SLF001  # nothing public shows it all
    with serving(registry):
        pass


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("203.0.113.7", "can't listen on 203.0.113.7:0: Cannot assign requested address"),
        (
            "no.such.host.invalid",
            "can't listen on no.such.host.invalid:0: Name or service not known",
        ),
        ("2001:db8::1", "can't listen on [2001:db8::1]:0: Cannot assign requested address"),
        ("a" * 64 + ".example", f"can't listen on {'a' * 64}.example:0: "),
    ],
)
def test_host_that_is_not_here(host: str, message: str) -> None:
    with pytest.raises(obs.UsageError) as caught:
        obs.init(PAGES, host=host, port=0)
    assert str(caught.value).startswith(message)


def test_ipv6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"no IPv6 on this machine: {error}")
    with serving(host="::1") as at:
        assert at[0] == "::1"
        assert request(at, "GET", "/metrics")[0] == 200
