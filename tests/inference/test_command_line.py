"""What a command at a shell ends with where a person stops it."""

import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest

from inference.command_line import run_command


@contextmanager
def interruptible() -> Iterator[None]:
    """What a shell starts behind itself ignores SIGINT, and the tests with it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_a_command_with_a_word_instead_of_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def configure(parser: ArgumentParser) -> None:
        parser.add_argument("--num-lines", type=int, default=2)

    def run(options: Namespace) -> Iterator[str]:
        for number in range(options.num_lines):
            yield f"line {number}"
            signal.raise_signal(signal.SIGINT)

    module = ModuleType("a_long_command")
    module.configure, module.run = configure, run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    commands = {"count": ("count lines", module.__name__)}
    with interruptible():
        assert run_command(commands, ["count"], library="inference", description=None) == 130
    said = capsys.readouterr()
    assert (said.out, said.err) == ("line 0\n", "Stopped.\n")
