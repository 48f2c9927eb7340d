"""What tests share: a real PostgreSQL and Redis of their own, real workers, and the system's Chromium."""

import os
import shutil
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, connections
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test.utils import override_settings
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Playwright

from deepmedix_review.config import postgres, redis_server
from deepmedix_review.config.embedded import redis_socket
from deepmedix_review.config.processes import stop
from tests.home import HOME, ROOT
from tests.ray_node import RayNode
from tests.workers import Workers

SHARED_DATA_ABSENT = "the folder of shared films is not beside this repository"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_CHROME = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
NUM_FLUSH_TRIES = 5
LAST_REQUEST_SECONDS = 60

# No test is timed: a busy machine makes any example slow.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """PostgreSQL and Redis are up from the first test that needs the database to the end of the run."""
    if not redis_server.is_installed():
        pytest.fail(
            "redis-server is missing: install it (`apt install redis-server`, `brew install redis`).",
            pytrace=False,
        )
    cluster = postgres.cluster_in(HOME)
    if not postgres.accepts_connections(cluster):
        # A test database need not survive a power cut.
        fast = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=64MB")
        postgres.start(cluster, leashed=True, options=fast)
    postgres.ensure_database(cluster, name="deepmedix")
    redis = redis_server.start(HOME, death_signal=signal.SIGTERM)
    yield
    stop(redis, patience_seconds=10)
    redis_socket(HOME).unlink(missing_ok=True)
    postgres.stop(cluster)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """The database goes once the live server's last request is answered: nobody waits for one whose page was
    closed, and it holds a connection for as long as it takes."""
    yield
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(LAST_REQUEST_SECONDS)
    for session in _other_sessions():
        warnings.warn(f"The test database is still in use: {session}", stacklevel=1)


def _other_sessions() -> list[str]:
    """Who else is connected to the test database, and what each asked last."""
    settings = connection.settings_dict
    with psycopg.connect(
        host=settings["HOST"], port=settings["PORT"] or None, user=settings["USER"], dbname="postgres"
    ) as outside:
        rows = outside.execute(
            "SELECT application_name, state, backend_start, state_change, query FROM pg_stat_activity "
            "WHERE datname = %s AND pid != pg_backend_pid()",
            [settings["NAME"]],
        ).fetchall()
    mine = 0 if connection.connection is None else 1
    return [" · ".join(map(str, row)) for row in rows] if len(rows) > mine else []


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """A password's slow hash takes 0.2 s of processor time, and most tests make two people."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def _quick_flush_past_triggers() -> Iterator[None]:
    """Transactional tests empty every table; the triggers that refuse this for audit and frozen rows rest
    meanwhile. A worker that writes at that moment makes a deadlock, which is tried again.

    Rows are deleted under the lock that TRUNCATE takes, so that no row of a worker slips in between: the
    tables hold few, and TRUNCATE makes new files for each table and each of its indexes, 0.1 s a test.
    """
    truncate, execute = DatabaseOperations.sql_flush, DatabaseOperations.execute_sql_flush

    def sql_flush(self: DatabaseOperations, style: Any, tables: list[str], **how: bool) -> list[str]:
        if any(how.values()) or not tables:
            return list(truncate(self, style, tables, **how))
        names = [self.quote_name(table) for table in tables]
        lock = f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE;"
        return [lock, " ".join(f"DELETE FROM {name};" for name in names)]

    def execute_past_triggers(self: DatabaseOperations, sql_list: list[str]) -> None:
        for attempt in range(NUM_FLUSH_TRIES):
            try:
                execute(self, ["SET LOCAL session_replication_role = replica;", *sql_list])
                return
            except OperationalError as error:
                if "deadlock" not in str(error) or attempt == NUM_FLUSH_TRIES - 1:
                    raise

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        patch.setattr(DatabaseOperations, "execute_sql_flush", execute_past_triggers)
        yield


@pytest.fixture(scope="session")
def _workers(django_db_setup: None) -> Iterator[Workers]:
    name = str(connection.settings_dict["NAME"])
    workers = Workers(home=HOME, database_url=postgres.database_url(postgres.cluster_in(HOME), name=name))
    yield workers
    workers.stop_all()


@pytest.fixture
def celery_workers(transactional_db: None, _workers: Workers) -> Workers:
    """All four are up: `celery_workers.kill("inference")`, `.start("inference")`, `.restart(…)`."""
    _workers.require_alive()
    return _workers


@pytest.fixture(scope="session")
def ray_node() -> Iterator[RayNode]:
    """A cluster of one node with room for a job and two workers."""
    node = RayNode(num_cpus=3)
    yield node
    node.stop()


@pytest.fixture(scope="session")
def system_chromium() -> str:
    for name in CHROMIUM_NAMES:
        path = shutil.which(name)
        if path:
            return path
    if MAC_CHROME.exists():
        return str(MAC_CHROME)
    pytest.fail(
        "Chromium is missing: install it (`apt install chromium`, or Google Chrome on a Mac).", pytrace=False
    )


@pytest.fixture(scope="session")
def _closed_before_playwright(django_db_setup: None) -> None:
    connections.close_all()


@pytest.fixture(scope="session")
def playwright(_closed_before_playwright: None, playwright: Playwright) -> Iterator[Playwright]:
    """Its event loop runs in the tests' own thread, and while it does Django keeps another connection there:
    each of the two can be closed only where it is seen."""
    yield playwright
    connections.close_all()


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], system_chromium: str, django_db_setup: None
) -> dict[str, Any]:
    # After the database, so that the browser is closed before it: an open one keeps its connections.
    # Chromium's sandbox refuses root, and containers have a small /dev/shm.
    args = ["--disable-dev-shm-usage"]
    if sys.platform.startswith("linux") and os.geteuid() == 0:
        args.append("--no-sandbox")
    return {**browser_type_launch_args, "executable_path": system_chromium, "args": args}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "viewport": {"width": 1440, "height": 900}}


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of shared films, hostile files and reports; the test is skipped where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(SHARED_DATA_ABSENT)
    return folder


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick and pure first, workers and browsers late, the journey last."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    needs = set(getattr(item, "fixturenames", ()))
    marker = item.get_closest_marker("django_db")
    if (ROOT / "tests" / "journey") in item.path.parents:
        # Workers, once they run, take what later tests only want to see queued.
        return 6 if "celery_workers" in needs else 5
    if needs & {"page", "browser"}:
        return 4
    if needs & {"celery_workers", "ray_node"} or item.get_closest_marker("installation"):
        return 3
    if needs & {"transactional_db", "live_server"} or (marker and marker.kwargs.get("transaction")):
        return 2
    return 1 if marker or "db" in needs else 0


_other_skips: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and SHARED_DATA_ABSENT not in str(report.longrepr):
        _other_skips.append(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if _other_skips:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for nodeid in _other_skips:
        terminalreporter.write_line(f"SKIPPED, which this house does not allow: {nodeid}", red=True)
