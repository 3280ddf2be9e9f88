"""One rig for the folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labrig.client import Client
from tests.server.harness import Rigged, rigged


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rigged]:
    """One rig for all tests of this folder that leave it as they find it; it takes seconds to come up."""
    with rigged(tmp_path_factory.mktemp("rig")) as rig:
        yield rig


@pytest.fixture
def client(up: Rigged) -> Iterator[Client]:
    """A client of the rig, which is free and safe."""
    client = up.ready(up.client())
    yield client
    up.clients.remove(client)
    client.close()
