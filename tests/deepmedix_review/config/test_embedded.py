"""One PostgreSQL per home folder, shared by every command, gone with the last of them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deepmedix_review.config import postgres
from tests.home import ROOT

pytestmark = pytest.mark.installation

# Attaches, says so, and lives until its input is closed.
COMMAND = """
import os, sys
from deepmedix_review.config.embedded import attach_embedded_services
attach_embedded_services()
print(os.environ["DATABASE_URL"], flush=True)
sys.stdin.read()
"""


@contextmanager
def _command(home: Path) -> Iterator[subprocess.Popen[str]]:
    env = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        cwd=ROOT,
        env={**env, "DEEPMEDIX_HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("postgres://")
        yield process


def _await(condition: Callable[[], bool], *, what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@pytest.mark.parametrize("depth", [1, 9], ids=["short path", "path too long for a socket"])
def test_commands_share_the_database_and_the_last_one_stops_it(home: Path, depth: int) -> None:
    home = home.joinpath(*["a folder"] * depth)
    home.mkdir(parents=True)
    cluster = postgres.cluster_in(home)
    with _command(home) as first:
        with _command(home):
            first.communicate(timeout=30)
            assert postgres.accepts_connections(cluster), "the second command still works"
        assert not postgres.accepts_connections(cluster)
    assert depth == 1 or not cluster.sockets.exists()


def test_a_killed_command_leaves_a_database_that_the_next_one_takes_over_and_stops(home: Path) -> None:
    cluster = postgres.cluster_in(home)
    with _command(home) as killed:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    assert postgres.accepts_connections(cluster)
    with _command(home):
        pass
    _await(lambda: not postgres.accepts_connections(cluster), what="the last command stops the database")


def test_a_pid_file_whose_number_belongs_to_another_program_does_not_stop_the_start(home: Path) -> None:
    with _command(home):
        pass
    (home / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{home / 'postgres'}\n", "ascii")
    with _command(home):
        assert postgres.accepts_connections(postgres.cluster_in(home))


def test_a_killed_server_that_its_parent_has_not_cleared_away_does_not_stop_the_start(home: Path) -> None:
    cluster = postgres.cluster_in(home)
    with _command(home):
        os.kill(int((cluster.data / "postmaster.pid").read_text("ascii").split()[0]), signal.SIGKILL)
        _await(lambda: not postgres.is_up(cluster), what="the server is gone")
        with _command(home):
            assert postgres.accepts_connections(cluster)


def test_other_accounts_may_pass_through_the_folders_above_but_not_list_them(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    home = closed / "home"
    home.mkdir()
    with _command(home):
        assert closed.stat().st_mode & 0o077 in (0o000, 0o001)
        assert (home / "postgres").stat().st_mode & 0o077 == 0


def test_a_command_in_a_folder_without_an_installation_says_so_and_begins_none(home: Path) -> None:
    env = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    asked = subprocess.run(
        [sys.executable, "manage.py", "verify_audit"],
        cwd=ROOT,
        env={**env, "DEEPMEDIX_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert asked.returncode == 1
    assert asked.stderr == (
        f"There is no installation in {home}. `make run` begins one there; where yours lies elsewhere, "
        "say so: DEEPMEDIX_HOME=/its/folder before the command.\n"
    )
    assert not (home / "postgres").exists()
