"""Logs beside the logging of the host: Python's and structlog's stay as they were."""

from __future__ import annotations

import asyncio
import inspect
import io
import json
import logging
import logging.handlers
import queue
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
import structlog
from log_lines import logging_to, own, parse
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext

from autogpt_observe.runtime.logs.logger import Logger, log
from autogpt_observe.runtime.logs.processor import structlog_processor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from structlog.typing import BindableLogger, FilteringBoundLogger

LEVELS = ("debug", "info", "warning", "error", "critical")


# --- obs.log -------------------------------------------------------------------------------------


def test_before_init_nothing_is_logged_and_nothing_raised() -> None:
    log.info("lost", a=1)
    log.bind(a=1).exception("lost")
    asyncio.run(log.ainfo("lost"))
    assert not log.is_enabled_for(50)


def test_levels(tmp_path: Path) -> None:
    with logging_to(tmp_path / "log", level="warning") as run:
        for level in LEVELS:
            getattr(log, level)(level)
            log.log(level, f"log {level}")
        log.log(35, "a number between")
        assert (log.get_effective_level(), log.is_enabled_for(20)) == (30, False)
        lines = run.lines()
    assert [(line["log.level"], line["message"]) for line in lines] == [
        ("warning", "warning"),
        ("warning", "log warning"),
        ("error", "error"),
        ("error", "log error"),
        ("critical", "critical"),
        ("critical", "log critical"),
        ("warning", "a number between"),
    ]


def test_it_has_the_interface_of_structlog() -> None:
    bound: FilteringBoundLogger = log
    bindable: BindableLogger = log
    assert bound is bindable
    for name, method in vars(structlog.typing.FilteringBoundLogger).items():
        if name.startswith("_") or not inspect.isfunction(method):
            continue
        ours = getattr(Logger, name)
        assert inspect.iscoroutinefunction(ours) == inspect.iscoroutinefunction(method), name


def test_bound_fields(tmp_path: Path) -> None:
    bound = log.bind(a="1", b="2")
    with logging_to(tmp_path / "log") as run:
        bound.info("bound", b="3", self="s", event="e", level="l")
        bound.unbind("a").info("unbound")
        bound.try_unbind("a", "absent").info("unbound")
        bound.new(c="4").info("new")
        log.info(event="by its name")
        lines = run.lines()
    assert structlog.get_context(bound) == {"a": "1", "b": "2"}
    assert [line.get("labels") for line in lines] == [
        {"a": "1", "b": "3", "self": "s", "event": "e", "level": "l"},
        {"b": "2"},
        {"b": "2"},
        {"c": "4"},
        None,
    ]
    assert lines[-1]["message"] == "by its name"
    with pytest.raises(KeyError):
        bound.unbind("absent")


def test_words_are_put_together_as_structlog_does(tmp_path: Path) -> None:
    with logging_to(tmp_path / "log") as run:
        log.info("%s of %d", "one", 2)
        log.info("%(a)s", {"a": "named"})
        log.info("%d", "no number")
        log.info(None)
        log.info({"a": 1})
        lines = run.lines()
    assert [line["message"] for line in lines] == ["one of 2", "named", "%d", "None", "{'a': 1}"]
    assert lines[2]["labels"] == {"positional_args": ["no number"]}


def test_exceptions(tmp_path: Path) -> None:
    with logging_to(tmp_path / "log") as run:
        try:
            try:
                raise KeyError("inner")  # noqa: TRY301  # a cause
            except KeyError as cause:
                outer = ExceptionGroup("several", [ValueError("one"), OSError("two")])
                outer.add_note("a note")
                raise outer from cause
        except ExceptionGroup as error:
            log.exception("by itself")
            log.warning("told", exc_info=True)
            log.info("given", exc_info=error)
            kept = error
        log.info("given as three", exc_info=(type(kept), kept, kept.__traceback__))
        log.exception("none")
        log.info("stack", stack_info=True)
        asyncio.run(alog_exception())
        lines = run.lines()
    for line in lines[:4]:
        assert line["error.type"] == "ExceptionGroup"
        assert line["error.message"] == "several (2 sub-exceptions)"
        for part in ("KeyError: 'inner'", "direct cause", "ValueError: one", "OSError", "a note"):
            assert part in line["error.stack_trace"]
    assert [line["log.level"] for line in lines] == [
        "error",
        "warning",
        *["info"] * 2,
        "error",
        "info",
        "error",
    ]
    assert own(lines[4]).keys() == {"log.logger"}
    assert "test_exceptions" in lines[5]["labels"]["stack"]
    assert lines[6]["error.message"] == "awaited"


async def alog_exception() -> None:
    try:
        raise ValueError("awaited")  # noqa: TRY301  # to be handled here
    except ValueError:
        await log.aexception("by itself")


def test_who_logs(tmp_path: Path) -> None:
    with logging_to(tmp_path / "log") as run:
        log.info("m")
        log.error("m")
        asyncio.run(log.ainfo("m"))
        lines = run.lines()
    assert [line["log.logger"] for line in lines[:2]] == [__name__] * 2


def test_the_current_span_is_in_the_line(tmp_path: Path) -> None:
    span = NonRecordingSpan(SpanContext(0xABC, 0xDEF, is_remote=False))
    with logging_to(tmp_path / "log") as run:
        log.info("outside")
        with trace.use_span(span):
            log.info("inside")
        log.info("outside again")
        lines = run.lines()
    ids = [(line.get("trace.id"), line.get("span.id")) for line in lines]
    assert ids == [(None, None), (f"{0xABC:032x}", f"{0xDEF:016x}"), (None, None)]


def test_neither_opentelemetry_nor_structlog_is_loaded_for_a_line() -> None:
    script = (
        "import sys\n"
        "from log_lines import builder\n"
        "from autogpt_observe.runtime.logs.logger import log\n"
        "builder().build(20, 'm', {})\n"
        "log.info('m')\n"
        "assert not {'opentelemetry', 'structlog'} & sys.modules.keys(), 'loaded'\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd="tests/runtime", timeout=60)


# --- structlog -----------------------------------------------------------------------------------


@pytest.fixture
def chain() -> Iterator[Any]:
    printed = io.StringIO()
    yield structlog.wrap_logger(
        structlog.PrintLogger(printed),
        processors=[structlog.contextvars.merge_contextvars, structlog_processor],
        wrapper_class=structlog.make_filtering_bound_logger(0),
        printed=printed,
    )
    structlog.contextvars.clear_contextvars()


def test_a_chain_of_the_host_ends_in_lines(tmp_path: Path, chain: Any) -> None:
    printed = structlog.get_context(chain).pop("printed")
    with logging_to(tmp_path / "log", level="info") as run:
        structlog.contextvars.bind_contextvars(around="a")
        chain.bind(bound="b").warning("event", n=1, logger="host", level="redundant")
        chain.debug("too low")
        try:
            raise ValueError("no")  # noqa: TRY301  # to be handled here
        except ValueError:
            chain.exception("failed")
        log.info("ours")
        lines = run.lines()
    assert printed.getvalue() == ""
    assert lines[0]["log.level"] == "warning"
    assert own(lines[0]) == {
        "log.logger": "host",
        "labels": {"around": "a", "bound": "b"},
        "numeric_labels": {"n": 1},
    }
    assert (lines[1]["error.type"], lines[1]["error.message"]) == ("ValueError", "no")
    assert lines[2]["labels"] == {"around": "a"}


def test_without_init_the_hosts_logger_gets_the_line(chain: Any) -> None:
    printed = structlog.get_context(chain).pop("printed")
    chain.info("event", n=1)
    line = parse(printed.getvalue().encode())
    assert line["message"] == "event"
    assert line["numeric_labels"] == {"n": 1}
    assert "service.name" not in line


def test_the_configuration_of_structlog_stays_as_it_was(tmp_path: Path) -> None:
    before = structlog.get_config()
    with logging_to(tmp_path / "log"):
        log.info("m")
        assert not structlog.is_configured()
    assert structlog.get_config() == before


# --- logging -------------------------------------------------------------------------------------


@pytest.fixture
def host() -> Iterator[tuple[logging.Logger, list[logging.LogRecord]]]:
    """A logger of the host, and the records that its handler gets."""
    records: list[logging.LogRecord] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    logger = logging.getLogger("host.part")
    before, logger.handlers = logger.handlers, [Kept()]
    logger.propagate = False
    logger.setLevel("INFO")
    yield logger, records
    logger.setLevel("NOTSET")
    logger.propagate = True
    logger.handlers = before


Host = tuple[logging.Logger, list[logging.LogRecord]]


def test_records_are_lines_and_reach_their_handlers(tmp_path: Path, host: Host) -> None:
    logger, records = host
    with logging_to(tmp_path / "log", stdlib="debug") as run:
        logger.debug("below the logger's own level")
        logger.info("%s of %d", "one", 2, extra={"title": "T", "tokens": 3})
        try:
            raise ValueError("no")  # noqa: TRY301  # to be handled here
        except ValueError:
            logger.exception("failed", stack_info=True)
        lines = run.lines()
    assert [record.getMessage() for record in records] == ["one of 2", "failed"]
    assert vars(records[0])["title"] == "T"
    assert type(records[0]) is logging.LogRecord
    assert own(lines[0]) == {
        "log.logger": "host.part",
        "log.origin.file.name": "test_logs_host.py",
        "log.origin.file.line": records[0].lineno,
        "log.origin.function": "test_records_are_lines_and_reach_their_handlers",
        "process.thread.name": "MainThread",
        "labels": {"title": "T"},
        "numeric_labels": {"tokens": 3},
    }
    assert lines[1]["log.level"] == "error"
    assert lines[1]["error.message"] == "no"
    assert "Stack (most recent call last)" in lines[1]["labels"]["stack"]
    assert len(lines) == 2


def test_the_bridge_has_a_level_of_its_own(tmp_path: Path, host: Host) -> None:
    with logging_to(tmp_path / "log", stdlib="error") as run:
        host[0].warning("no")
        host[0].error("yes")
        assert [line["message"] for line in run.lines()] == ["yes"]
    assert len(host[1]) == 2


def test_basic_config_works_as_ever(tmp_path: Path) -> None:
    root = logging.getLogger()
    kept, root.handlers = root.handlers, []
    try:
        with logging_to(tmp_path / "log", stdlib="warning") as run:
            stream = io.StringIO()
            logging.basicConfig(stream=stream, format="%(levelname)s %(message)s")
            logging.getLogger("x").warning("both")
            assert [line["message"] for line in run.lines()] == ["both"]
        assert stream.getvalue() == "WARNING both\n"
    finally:
        root.handlers = kept


def test_blank_records_are_no_events(tmp_path: Path) -> None:
    with logging_to(tmp_path / "log", stdlib="debug") as run:
        record = logging.makeLogRecord({"msg": "from another process", "levelno": 40})
        handler = logging.handlers.QueueHandler(queue.SimpleQueue())
        handler.handle(record)
        assert run.logs.flush(10)
    assert not run.path.exists()
    assert run.errors == []
    assert record.getMessage() == "from another process"


def test_records_whose_arguments_do_not_fit(tmp_path: Path, host: Host) -> None:
    del host[0].handlers[1:]  # pytest's, which formats records, and raises what is wrong with them

    class Broken:
        def __str__(self) -> str:
            raise ValueError

    with logging_to(tmp_path / "log", stdlib="debug") as run:
        host[0].info("%d", "no number")
        host[0].info(Broken())
        lines = run.lines()
        assert run.errors == []
    assert (lines[0]["message"], lines[0]["labels"]) == ("%d", {"positional_args": ["no number"]})
    assert lines[1]["message"].startswith("<")
    assert "that can't be shown: ValueError>" in lines[1]["message"]


def test_a_text_that_logs_itself_ends(tmp_path: Path, host: Host) -> None:
    del host[0].handlers[1:]  # pytest's, which formats records, and raises what is wrong with them

    class Chatty:
        def __str__(self) -> str:
            host[0].info("asked")
            return "chatty"

    with logging_to(tmp_path / "log", stdlib="debug") as run:
        host[0].info("%s", Chatty())
        log.info("m", x=Chatty())
        messages = [line["message"] for line in run.lines()]
    assert messages == ["chatty", "asked", "m"]


def test_factories_are_taken_and_given_back_in_order(tmp_path: Path, host: Host) -> None:
    first = logging.getLogRecordFactory()

    class Own(logging.LogRecord):
        pass

    logging.setLogRecordFactory(Own)
    try:
        with logging_to(tmp_path / "log", stdlib="debug") as run:
            ours = logging.getLogRecordFactory()
            host[0].info("through both")
            logging.setLogRecordFactory(lambda *args, **kwargs: ours(*args, **kwargs))  # noqa: PLW0108  # another one, in front
            theirs = logging.getLogRecordFactory()
            host[0].info("through three", extra={"a": "b"})
            lines = run.lines()
        assert [type(record) for record in host[1]] == [Own, Own]
        assert lines[1]["labels"] == {"a": "b"}
        assert logging.getLogRecordFactory() is theirs
        host[0].info("after the end")
        assert len(host[1]) == 3
        assert len(run.path.read_bytes().splitlines()) == 2
        assert run.drops == []
        logging.setLogRecordFactory(Own)
        with logging_to(tmp_path / "log2", stdlib="debug"):
            pass
        assert logging.getLogRecordFactory() is Own
    finally:
        logging.setLogRecordFactory(first)


# --- streams -------------------------------------------------------------------------------------

TO_STREAM = """
import sys
from pathlib import Path
from autogpt_observe.names import Name
from autogpt_observe.runtime.logs.logger import log
from autogpt_observe.runtime.logs.pipeline import read_log_settings, start_logs
from autogpt_observe.spec.model import Service, Spec

spec = Spec(version=1, service=Service(name=Name("crawler"), owner=Name("team")))
settings = read_log_settings(spec, {"AUTOGPT_OBSERVE_LOG_OUTPUT": sys.argv[1]})
start_logs(spec, settings, redactor=None, on_drop=print, on_error=print)
print("printed", file=sys.stderr)
log.info("logged", n=1)
log.debug("not logged")
"""


@pytest.mark.parametrize("output", ["stdout", "stderr", ""])
def test_lines_go_to_a_stream(output: str) -> None:
    command = [sys.executable, "-c", TO_STREAM, output]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    shown = done.stdout if output == "stdout" else done.stderr
    lines = [line for line in shown.splitlines() if line.startswith(b"{")]
    assert [json.loads(line)["message"] for line in lines] == ["logged"]
    assert (done.stdout == b"") == (output != "stdout")


def test_a_stream_without_a_descriptor_gets_texts(capsys: pytest.CaptureFixture[str]) -> None:
    script = compile(TO_STREAM, "script", "exec")
    before, sys.argv = sys.argv, ["", "stderr"]
    names: dict[str, Any] = {}
    try:
        exec(script, names)  # noqa: S102  # the script above, where `sys.stderr` is another one
        names["log"].info("second")
    finally:
        sys.argv = before
        from autogpt_observe.runtime.logs.target import CURRENT  # noqa: PLC0415

        assert CURRENT.target is not None
        CURRENT.target.close()
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    assert [json.loads(line)["message"] for line in lines] == ["logged", "second"]


# --- hosts that do their worst -------------------------------------------------------------------


class Untrue:
    def __bool__(self) -> bool:
        raise ValueError

    @property  # type: ignore[misc]  # that is what is tested
    def __class__(self) -> type:
        raise RuntimeError


class StoppedError(BaseException):
    """As gevent and pytest have them: no `Exception`."""


class Stopping:
    def __str__(self) -> str:
        raise StoppedError

    __bool__ = __index__ = __int__ = __float__ = __len__ = __iter__ = __repr__ = __str__


class StoppingMap(dict[str, int]):
    def items(self) -> NoReturn:
        raise StoppedError


class Unreadable(Exception):  # noqa: N818  # no error of ours
    def __str__(self) -> str:
        raise StoppedError


def test_nothing_that_is_logged_raises(tmp_path: Path) -> None:
    with logging_to(tmp_path / "log") as run:
        for odd in (Untrue(), Stopping()):
            log.info("traced", exc_info=odd)
            log.info("stacked", stack_info=odd)
        log.info("field", odd=Stopping(), inside={"odd": [Stopping()]})
        log.info("filled %s", Stopping())
        log.info(Stopping())
        log.error("failed", exc_info=Unreadable())
        log.info("map", odd=StoppingMap(a=1))
        lines = run.lines()
    shown = "<Stopping that can't be shown: StoppedError>"
    assert [line["message"] for line in lines] == [
        *("traced", "stacked") * 2,
        *("field", "filled %s", shown, "failed", "map"),
    ]
    assert lines[4]["labels"] == {"odd": shown, "inside": f'{{"odd":["{shown}"]}}'}
    assert lines[5]["labels"] == {"positional_args": [shown]}
    assert lines[7]["error.type"] == "Unreadable"


def test_who_wants_to_end_the_process_gets_through(tmp_path: Path) -> None:
    class Interrupted:
        def __str__(self) -> str:
            raise KeyboardInterrupt

    with logging_to(tmp_path / "log"), pytest.raises(KeyboardInterrupt):
        log.info("m", x=Interrupted())


def test_no_depth_of_the_stack_makes_it_raise(tmp_path: Path) -> None:
    raised: list[str] = []

    def descend() -> None:
        try:  # noqa: SIM105  # as below
            descend()
        except RecursionError:
            pass
        for call in (log.info, log.error):
            try:
                call("deep", x={"a": [1]})
            except RecursionError as error:
                trace_ = error.__traceback__
                while (
                    trace_ is not None and trace_.tb_next is not None
                ):  # there is room for no call
                    trace_ = trace_.tb_next
                raised.append("" if trace_ is None else trace_.tb_frame.f_code.co_name)

    with logging_to(tmp_path / "log") as run:
        log.info("first", x={"a": [1]})
        descend()
        log.info("last")
        messages = [line["message"] for line in run.lines()]
    assert set(raised) <= {"descend"}  # there was no room for the call itself
    assert (messages[0], messages[-1]) == ("first", "last")
    assert len(messages) > 900


def test_a_stream_that_logs_what_it_gets_ends(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    class ToLogging:
        def write(self, text: str) -> None:
            host[0].info(text)

        def flush(self) -> None:
            """There is nothing to flush."""

    monkeypatch.setattr(sys, "stderr", ToLogging())
    with logging_to(Path("stderr"), stdlib="info") as run:
        log.info("one")
        host[0].info("two")
        for _ in range(5):
            assert run.logs.flush(10)
    written = [line for record in host[1] for line in record.getMessage().splitlines()]
    messages = [json.loads(line)["message"] for line in written if line.startswith("{")]
    assert messages == ["one", "two"]


def test_a_factory_of_the_hosts_may_make_anything(tmp_path: Path, host: Host) -> None:
    class Odd(logging.LogRecord):
        @property
        def threadName(self) -> str:  # noqa: N802  # as `logging` calls it
            raise LookupError("odd")

        @threadName.setter
        def threadName(self, _: str) -> None:  # noqa: N802  # as above
            pass

    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(Odd)
    try:
        with logging_to(tmp_path / "log", stdlib="info") as run:
            host[0].info("m")
            assert run.errors == [("logging", "LookupError('odd')")]
    finally:
        logging.setLogRecordFactory(before)
    assert len(host[1]) == 1
