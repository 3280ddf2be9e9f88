"""Alembic's entry: runs the steps on the connection that `labrig.catalogue.database` hands over."""

from alembic import context

from labrig.catalogue.tables import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
context.run_migrations()
