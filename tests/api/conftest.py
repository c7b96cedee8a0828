"""A world for the tests of the API."""

import pytest

from api.world import World


@pytest.fixture(scope="module")
def world(server):
    return World(server)
