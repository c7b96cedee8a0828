"""Fixtures of the Python suites.  `server` is shared by the tests of a file;
whoever stops it, fills it or wants other settings asks `make_server` for one
of his own."""

import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib import base  # noqa: E402
from lib.browser import Browser  # noqa: E402
from lib.cluster import Cluster  # noqa: E402
from lib.server import Server  # noqa: E402

# Ignored where a terminal's end is not to stop the tests (nohup), and what is
# ignored no shell below can trap.
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def build():
    return base.build_dir()


@pytest.fixture(scope="session")
def cluster(build):
    """For everybody; a test that stops PostgreSQL takes own_cluster."""
    one = Cluster(build)
    yield one
    one.close()


@pytest.fixture
def own_cluster(build):
    one = Cluster(build)
    yield one
    one.close()


@pytest.fixture(scope="module")
def server(cluster):
    one = Server(cluster)
    yield one
    one.close()


@pytest.fixture
def make_server(cluster):
    """make_server(workers=2, settings={...}, on=own_cluster) -> Server"""
    made = []

    def make(on=None, **kwargs):
        made.append(Server(on or cluster, **kwargs))
        return made[-1]
    yield make
    for one in reversed(made):
        one.close()


@pytest.fixture(scope="session")
def chromium():
    """One process for all; `browser` is it with nothing remembered."""
    profile = base.temp_dir("chromium")
    one = Browser(profile)
    yield one
    one.close()
    base.remove(profile)


@pytest.fixture
def browser(chromium):
    chromium.driver.get("about:blank")
    chromium.forget()
    chromium.look(1280, "light")
    return chromium


@pytest.fixture
def folder():
    """A short temporary folder that the user postgres may enter."""
    path = base.temp_dir("folder")
    yield path
    base.remove(path)
