"""What the tests of the gateway share: its listener, and a key that it lets
through as often as they like."""

import pytest
from lib.gateway import Gateway, key_of


@pytest.fixture(scope="module")
def key(server):
    return key_of(server)


@pytest.fixture
def gateway(server):
    one = Gateway(server)
    yield one
    one.close()
