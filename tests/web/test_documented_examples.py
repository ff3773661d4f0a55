"""The examples in the docstrings of the web are true."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("module", ["ila.portal.formats", "ila.portal.charts", "ila.web.problems"])
def test_the_examples_of_a_module_are_true(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module))

    assert result.attempted > 0
    assert result.failed == 0
