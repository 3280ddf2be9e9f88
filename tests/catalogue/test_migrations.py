"""The tables are made by migrations alone, and they are those of the models."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from labrig.catalogue import CouponEntry, open_catalogue, rebuild
from labrig.catalogue.tables import HEAD, WORDS, Base
from labrig.errors import CatalogueError


def test_the_models_are_the_migrated_schema(tmp_path: Path) -> None:
    open_catalogue(tmp_path)
    engine = create_engine(f"sqlite:///{tmp_path / 'catalogue.db'}")

    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_name": lambda name, kind, _: kind != "table" or not (name or "").startswith(WORDS)},
        )
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()

    assert differences == []


def test_the_newest_migration_is_the_one_that_the_code_names() -> None:
    config = Config()
    config.set_main_option("script_location", "labrig.catalogue:migrations")
    config.set_main_option("path_separator", "os")

    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


@pytest.mark.fault("STO-14")
def test_a_catalogue_of_a_later_labrig_is_refused_by_name_and_not_touched(tmp_path: Path) -> None:
    open_catalogue(tmp_path)
    with closing(sqlite3.connect(tmp_path / "catalogue.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = (tmp_path / "catalogue.db").read_bytes()

    with pytest.raises(CatalogueError, match="made by a later labrig"):
        open_catalogue(tmp_path)

    assert (tmp_path / "catalogue.db").read_bytes() == before


def test_a_rebuild_goes_back_from_a_later_catalogue(tmp_path: Path) -> None:
    open_catalogue(tmp_path).store.enter([CouponEntry(id="C-1")], by="Ada")
    with closing(sqlite3.connect(tmp_path / "catalogue.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    rebuild(tmp_path)

    assert open_catalogue(tmp_path).coupon("C-1") is not None


def test_an_empty_file_becomes_a_catalogue(tmp_path: Path) -> None:
    (tmp_path / "catalogue.db").touch()

    assert open_catalogue(tmp_path).coupons() == ()
