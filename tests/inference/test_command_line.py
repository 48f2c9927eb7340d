"""What a command at a shell ends with where a person stops it."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from types import ModuleType

import pytest

from inference.command_line import run_command


def test_ctrl_c_ends_a_command_with_a_word_instead_of_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def configure(parser: ArgumentParser) -> None:
        parser.add_argument("--num-lines", type=int, default=2)

    def run(options: Namespace) -> Iterator[str]:
        for number in range(options.num_lines):
            yield f"line {number}"
            # What Python makes of Ctrl-C; who runs tests behind a shell has SIGINT ignored.
            raise KeyboardInterrupt

    module = ModuleType("a_long_command")
    module.configure, module.run = configure, run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    commands = {"count": ("count lines", module.__name__)}
    assert run_command(commands, ["count"], library="inference", description=None) == 130
    said = capsys.readouterr()
    assert (said.out, said.err) == ("line 0\n", "Stopped.\n")
