"""What the docstrings show of the models of readers is what happens."""

import doctest
import importlib
import pkgutil

import pytest

from rl_feedback import raters

MODULES = [
    importlib.import_module(f"{raters.__name__}.{m.name}") for m in pkgutil.iter_modules(raters.__path__)
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_the_examples_in_the_docstrings_run(module) -> None:
    assert doctest.testmod(module).failed == 0
