"""One rig for the folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labrig.client import Client
from tests.server.benches import bench, disturbed
from tests.server.harness import Rigged, rigged


@pytest.fixture(scope="package")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rigged]:
    """One rig for all tests of this folder that leave it as they find it; it takes seconds to come up."""
    folder = tmp_path_factory.mktemp("rig")
    with rigged(folder, bench(folder), environment=disturbed(folder)) as rig:
        yield rig


@pytest.fixture
def client(up: Rigged) -> Iterator[Client]:
    """A client of the rig, which is sound, free and safe."""
    up.control.clear_faults()
    client = up.ready(up.client())
    yield client
    up.control.clear_faults()
    up.clients.remove(client)
    client.close()
