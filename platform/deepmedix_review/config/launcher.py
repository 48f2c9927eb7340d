"""Runs the whole product on one machine for as long as a person wants it, and leaves nothing running after.

`make run` starts this. Everything it starts it also ends: on Ctrl-C, on SIGTERM, when its terminal closes,
and, where the operating system can, when it is killed itself.
"""

import argparse
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from deepmedix_review.config.embedded import attach_embedded_services
from deepmedix_review.config.environment import is_running
from deepmedix_review.config.home import ROOT, home_folder
from deepmedix_review.config.leftovers import end_leftovers
from deepmedix_review.config.parts import Parts, say
from deepmedix_review.config.processes import CannotStart, stop

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopAsked(BaseException):
    """A person or the system asked the product to stop; raised wherever the main thread is."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Run DeepMedix Review on this machine.")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--studies", type=Path, help="a folder of films to import first")
    parser.add_argument(
        "--no-demo", action="store_true", help="start without the demo films and their reader study"
    )
    parser.add_argument(
        "--then",
        nargs=argparse.REMAINDER,
        help="a command of manage.py with its arguments: done by the running product, which then stops",
    )
    options = parser.parse_args(arguments)
    for number in STOP_SIGNALS:
        signal.signal(number, _ask_to_stop)
    home = home_folder()
    with ExitStack() as stack:
        try:
            stack.enter_context(_only_one(home, port=options.port))
            return run(
                home,
                port=options.port,
                studies=options.studies,
                with_demo=not options.no_demo,
                then=options.then or (),
            )
        except StopAsked:
            pass
        except CannotStart as error:
            say(f"\n{error}")
            return 1
    return 0


def run(home: Path, *, port: int, studies: Path | None, with_demo: bool, then: Sequence[str]) -> int:
    """Start everything, say where it is, and watch over it. Ends by StopAsked, or raises CannotStart.

    With a command to do `then` it ends when that does, with its exit status.
    """
    if studies is not None and not studies.is_dir():
        raise CannotStart(f"There is no folder {studies}: name the folder that holds the films.")
    _set_environment(home)
    end_leftovers(home)
    has_own_postgres = not os.environ.get("DATABASE_URL")
    if has_own_postgres:
        say("Starting the database …")
    attach_embedded_services(leashed=True)
    parts = Parts(home, port=port, has_own_postgres=has_own_postgres)
    demo: subprocess.Popen[bytes] | None = None
    command: subprocess.Popen[bytes] | None = None
    try:
        parts.start_redis()
        say("Bringing the database up to date …")
        logins, makes_demo = _prepare_database(with_demo=with_demo)
        say("Starting the web server and the workers …")
        parts.start_web()
        parts.start_workers()
        parts.await_web()
        say(f"\nDeepMedix Review   {parts.address}\nFor research, not for diagnosis.\n")
        for username, password in logins:
            say(f"  {username:<12}{password}")
        say(f"\nData and logs lie in {home}. Ctrl-C stops everything and keeps the data.\n")
        if studies is not None:
            _await_command(["import_studies", str(studies.resolve())])
            say(f"\nWhat was imported: {parts.address}studies/\n")
        if makes_demo:
            say("The demo is being made: its cases wait on the expert's worklist in a minute or two.\n")
            demo = subprocess.Popen(
                _manage("load_demo"),
                stdin=subprocess.DEVNULL,
                env={**os.environ, "LOG_LEVEL": "WARNING"},
                start_new_session=True,
            )
        if then:
            quiet = {**os.environ, "LOG_LEVEL": "WARNING"}
            command = subprocess.Popen(
                _manage(*then), stdin=subprocess.DEVNULL, env=quiet, start_new_session=True
            )
        while True:
            parts.watch()
            if command is not None and command.poll() is not None:
                return command.returncode
            if demo is not None and demo.poll() is not None:
                if demo.returncode:
                    say("The demo content could not be loaded completely; the reason stands above.")
                demo = None
            time.sleep(0.5)
    finally:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        say("Stopping …")
        for process in (demo, command):
            if process is not None:
                stop(process, patience_seconds=1)
        parts.stop()


def _ask_to_stop(number: int, frame: FrameType | None) -> None:
    raise StopAsked


def _set_environment(home: Path) -> None:
    """For this process and its children: no telemetry, no downloads behind the user's back, no files outside
    the home folder."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deepmedix_review.config.settings")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HOME", str(home / "cache" / "huggingface"))
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Threads of linear algebra spin while they wait: on two busy cores small matrices took 100 times as long.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Of the few seconds that the parts have to end: what is not answered in them goes back to the queue.
    os.environ.setdefault("DRAIN_SECONDS", "2")
    os.environ["PYTHONUNBUFFERED"] = "1"
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "platform"), str(ROOT)])


def _prepare_database(*, with_demo: bool) -> tuple[list[tuple[str, str]], bool]:
    """Bring the tables up to date, make what every installation holds; returns the demo logins, and whether
    the demo has to be made."""
    import django
    from django.core.management import CommandError, call_command
    from django.db import connections

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    from deepmedix_review.accounts.demo_logins import ensure_demo_logins
    from deepmedix_review.reviews.demo import announce_demo

    try:
        call_command("register_shipped_model")
    except CommandError as error:
        raise CannotStart(str(error)) from error
    logins = [(login.username, login.password) for login in ensure_demo_logins()]
    makes_demo = with_demo and announce_demo()
    connections.close_all()
    return logins, makes_demo


def _await_command(arguments: Sequence[str]) -> None:
    process = subprocess.Popen(_manage(*arguments), stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        process.wait()
    finally:
        stop(process, patience_seconds=2)


def _manage(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def _only_one(home: Path, *, port: int) -> ExitStack:
    """Hold the home folder for this process. Raises CannotStart where another launcher has it."""
    (home / "run").mkdir(mode=0o700, exist_ok=True)
    with ExitStack() as stack:
        lock = stack.enter_context(open(home / "run" / "launcher.lock", "a+"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise CannotStart(is_running(home, lock.read().strip())) from error
        lock.truncate(0)
        lock.write(f"http://127.0.0.1:{port}/\n")
        lock.flush()
        return stack.pop_all()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
