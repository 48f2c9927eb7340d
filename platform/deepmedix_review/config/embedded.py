"""Gives every command of an installation the same private database and message broker, without any set-up.

The first command that needs them starts PostgreSQL, commands beside it share it, and the last one to end
stops it. Who uses it is known by a shared lock on a file, which the operating system drops when a process
dies.
"""

import atexit
import fcntl
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deepmedix_review.config import postgres
from deepmedix_review.config.home import home_folder
from deepmedix_review.config.processes import CannotStart

DATABASE = "deepmedix"
COMMANDS_WITHOUT_DATABASE = frozenset(
    {"help", "--help", "-h", "version", "--version", "check", "collectstatic", "findstatic", "spectacular"}
)


# These may begin an installation; any other would ask an empty database.
COMMANDS_THAT_BEGIN = frozenset({"migrate", "makemigrations", "showmigrations"})


def require_installation() -> None:
    """For a command of manage.py in a home folder that holds nothing yet. Raises CannotStart."""
    command = set(sys.argv[1:2])
    if os.environ.get("DATABASE_URL") or not command or command & COMMANDS_WITHOUT_DATABASE:
        return
    home = home_folder()
    if not (command & COMMANDS_THAT_BEGIN or (postgres.cluster_in(home).data / "PG_VERSION").exists()):
        raise CannotStart(
            f"There is no installation in {home}. `make run` begins one there; where yours lies elsewhere, "
            "say so: DEEPMEDIX_HOME=/its/folder before the command."
        )


def attach_embedded_services(*, leashed: bool = False) -> None:
    """Set DATABASE_URL, and REDIS_URL where the product's Redis runs, unless they are set already.

    `leashed`: a PostgreSQL that this starts ends when this process is killed. Raises CannotStart.
    """
    if os.environ.get("DATABASE_URL") or set(sys.argv[1:2]) & COMMANDS_WITHOUT_DATABASE:
        return
    home = home_folder()
    share_postgres(home, leashed=leashed)
    os.environ["DATABASE_URL"] = postgres.database_url(postgres.cluster_in(home), name=DATABASE)
    if not os.environ.get("REDIS_URL") and answers(redis_socket(home)):
        os.environ["REDIS_URL"] = redis_url(home)


def share_postgres(home: Path, *, leashed: bool, options: Sequence[str] = ()) -> None:
    """Start the home folder's PostgreSQL if it is down, and keep it up while this process lives."""
    cluster = postgres.cluster_in(home)
    (home / "run").mkdir(mode=0o700, exist_ok=True)
    users = os.open(home / "run" / "postgres-users.lock", os.O_RDWR | os.O_CREAT, 0o600)
    with _alone(home):
        if not postgres.accepts_connections(cluster):
            postgres.start(cluster, leashed=leashed, options=options)
        postgres.ensure_database(cluster, name=DATABASE)
        fcntl.flock(users, fcntl.LOCK_SH)
    atexit.register(_leave, home, users, os.getpid())


def revive_postgres(home: Path) -> None:
    """Start the home folder's PostgreSQL again, which this process uses. Raises CannotStart."""
    with _alone(home):
        cluster = postgres.cluster_in(home)
        if not postgres.accepts_connections(cluster):
            postgres.start(cluster, leashed=True)


def redis_socket(home: Path) -> Path:
    return postgres.socket_folder(home, longest_name=postgres.SOCKET_LOCK) / "redis.sock"


def redis_url(home: Path) -> str:
    return f"redis+socket://{redis_socket(home)}"


def _leave(home: Path, users: int, owner: int) -> None:
    if os.getpid() != owner:
        return
    with _alone(home):
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        postgres.stop(postgres.cluster_in(home))


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    with open(home / "run" / "postgres-start.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(1)
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True
