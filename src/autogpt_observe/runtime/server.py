"""Serves a WSGI application on waitress, in daemon threads that stop on request.

Waitress' own classes are used where its `create_server` would not do: it logs to the logger
`waitress`, whose settings belong to a host that may run waitress itself, and it does not give
back the threads it starts.
"""

from __future__ import annotations

import errno
import logging
import socket
import threading
from typing import TYPE_CHECKING, cast

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask
from waitress.wasyncore import dispatcher

from autogpt_observe.errors import UsageError
from autogpt_observe.runtime.incidents import LOG
from autogpt_observe.runtime.multiprocess.folder import VARIABLE
from autogpt_observe.runtime.settings import PORT

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication

    from waitress.trigger import trigger

_QUIET = LOG.getChild("waitress")
_QUIET.setLevel(logging.ERROR)  # "task queue depth is 1" and the like

_WORKERS = 4
"""More than the scrapes that /metrics lets in at once, so one is left when all of those hang."""
_BACKLOG = 16
_CONNECTIONS = 50
_IDLE_SECONDS = 10
"""A client that neither sends nor reads for so long is dropped."""
_STOP_SECONDS = 1


class _Task(WSGITask):
    logger = _QUIET


class _ErrorTask(ErrorTask):
    logger = _QUIET


class _Channel(HTTPChannel):
    logger = _QUIET
    task_class = _Task
    error_task_class = _ErrorTask


class _Server(TcpWSGIServer):
    logger = _QUIET
    channel_class = _Channel


class _Workers(ThreadedTaskDispatcher):
    logger = _QUIET
    queue_logger = _QUIET

    def __init__(self) -> None:
        super().__init__()
        self.started: list[threading.Thread] = []

    def start_new_thread(self, target: Callable[[int], object], thread_no: int) -> None:
        name = f"autogpt-observe-worker-{thread_no}"
        thread = threading.Thread(target=target, name=name, args=(thread_no,), daemon=True)
        thread.start()
        self.started.append(thread)


class Server:
    """Listens from the moment it is made until `stop`.

    Attributes:
        host: the address it listens on.
        port: the port it listens on; the real one, where 0 was asked for.

    Raises:
        UsageError: it can't listen there, or the system has no threads left.
    """

    def __init__(
        self, app: WSGIApplication, *, host: str, port: int, idle_seconds: int = _IDLE_SECONDS
    ) -> None:
        listener = _listen(host, port)
        self.host, self.port = listener.getsockname()[:2]
        self._workers = _Workers()
        self._sockets: dict[int, dispatcher] = {}
        self._server = _Server(
            app,
            map=self._sockets,  # type: ignore[arg-type]  # the stubs take dispatchers for sockets
            _sock=listener,
            bind_socket=False,
            dispatcher=self._workers,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
            adj=_adjustments(listener, idle_seconds),
        )
        self._trigger = cast("trigger", self._server.trigger)  # the stubs take it for a number
        self._loop = threading.Thread(
            target=self._server.run, name="autogpt-observe-server", daemon=True
        )
        try:
            self._workers.set_thread_count(_WORKERS)
            self._loop.start()
        except RuntimeError as error:
            self._stop_workers()
            self._close()
            raise UsageError(f"can't start the threads that serve /metrics: {error}") from error

    def stop(self) -> None:
        """Close the port and every connection, and wait for the threads; at most a few seconds.

        A scrape that hangs in some collector can't be stopped; its thread ends with the process.
        """
        if not self._stop_workers():
            LOG.warning("a scrape still runs %s s after it was to stop", _STOP_SECONDS)
        # the sockets belong to the loop's thread, so it closes them
        self._trigger.pull_trigger(self._close)  # type: ignore[arg-type]  # it gets no argument
        self._loop.join(_STOP_SECONDS)

    def abandon(self) -> None:
        """Close the sockets in a forked child, which has copies of them but not the threads."""
        for each in list(self._sockets.values()):
            if each.socket is not None:
                each.socket.close()

    def _stop_workers(self) -> bool:
        """Whether all of them stopped in time."""
        self._workers.shutdown(timeout=_STOP_SECONDS)
        if self._workers.threads:
            return False
        for thread in self._workers.started:
            thread.join(_STOP_SECONDS)
        return True

    def _close(self) -> None:
        for each in list(self._sockets.values()):
            if isinstance(each, HTTPChannel):
                each.handle_close()
        dispatcher.close(self._server)
        self._trigger.close()


def _listen(host: str, port: int) -> socket.socket:
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise UsageError(f"can't listen on {place}: {_reason(error)}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)  # of two sockets bound with SO_REUSEADDR, the second fails here
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"{place} is taken by another program; `ss -ltnp 'sport = :{port}'` shows which."
                f" Pass another `port` or set {PORT}, 0 for a free one; the processes of one"
                f" service share a port where {VARIABLE} is set"
            ) from error
        raise UsageError(f"can't listen on {place}: {_reason(error)}") from error
    return listener


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _adjustments(listener: socket.socket, idle_seconds: int) -> Adjustments:
    return Adjustments(
        sockets=[listener],
        threads=_WORKERS,
        backlog=_BACKLOG,
        connection_limit=_CONNECTIONS,
        channel_timeout=idle_seconds,
        cleanup_interval=max(1, idle_seconds // 2),
        max_request_header_size=16_384,
        max_request_body_size=16_384,
        asyncore_use_poll=True,  # select() fails in a process with more than 1024 files open
        clear_untrusted_proxy_headers=False,
        log_socket_errors=False,
        ident="",
    )
