"""What these tests rely on in the programs that run them."""

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="runs in one process anyway")
@pytest.mark.xdist_group("of this test")
def test_the_tests_of_a_group_go_to_one_process(request):
    # pytest-xdist reads a test's group from its name. Servers that a group shares are started several times without it.
    assert request.node.nodeid.endswith("@of this test")
