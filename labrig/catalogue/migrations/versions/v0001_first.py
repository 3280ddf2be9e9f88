"""The first tables, and the index of the words of coupons."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WORDS = ("id", "barcode", "lot", "sheet", "family", "note")


def upgrade() -> None:
    _entries()
    _specimens()
    _runs()
    _results()
    _words()


def _entries() -> None:
    op.create_table(
        "about",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_about"),
    )
    op.create_table(
        "entered",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("utc", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", name="pk_entered"),
    )
    op.create_table(
        "change",
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("utc", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("entry", "place", name="pk_change"),
    )
    op.create_index("ix_change_kind_subject", "change", ["kind", "subject"])
    op.create_table(
        "attachment",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("utc", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", "name", name="pk_attachment"),
    )


def _specimens() -> None:
    op.create_table(
        "lot",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("supplier", sa.String(), nullable=False),
        sa.Column("received", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lot"),
    )
    op.create_table(
        "sheet",
        sa.Column("lot", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["lot"], ["lot.name"], name="fk_sheet_lot", initially="DEFERRED", deferrable=True),
        sa.PrimaryKeyConstraint("lot", "name", name="pk_sheet"),
    )
    op.create_table(
        "coupon",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("lot", sa.String(), nullable=True),
        sa.Column("sheet", sa.String(), nullable=True),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("barcode", sa.String(), nullable=False),
        sa.Column("condition", sa.String(), nullable=False),
        sa.Column("condition_by", sa.String(), nullable=False),
        sa.Column("geometry", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("touched", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lot", "sheet"],
            ["sheet.lot", "sheet.name"],
            name="fk_coupon_lot_sheet",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["lot"], ["lot.name"], name="fk_coupon_lot", initially="DEFERRED", deferrable=True),
        sa.PrimaryKeyConstraint("number", name="pk_coupon"),
        sa.UniqueConstraint("id", name="uq_coupon_id"),
    )
    op.create_index("ix_coupon_barcode", "coupon", ["barcode"])
    op.create_index("ix_coupon_condition_touched", "coupon", ["condition", "touched"])
    op.create_index("ix_coupon_family_touched", "coupon", ["family", "touched"])
    op.create_index("ix_coupon_lot_sheet_touched", "coupon", ["lot", "sheet", "touched"])
    op.create_index("ix_coupon_lot_touched", "coupon", ["lot", "touched"])
    op.create_index("ix_coupon_touched", "coupon", ["touched"])


def _runs() -> None:
    op.create_table(
        "operator",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_operator"),
    )
    op.create_table(
        "method",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("protocol", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", "protocol", name="pk_method"),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("coupon", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("method_version", sa.String(), nullable=False),
        sa.Column("protocol", sa.String(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("operator", sa.String(), nullable=False),
        sa.Column("rig", sa.String(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("started", sa.String(), nullable=False),
        sa.Column("ended", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("leaves", sa.String(), nullable=False),
        sa.Column("coupon_facts", sa.JSON(), nullable=False),
        sa.Column("labrig", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["coupon"], ["coupon.id"], name="fk_run_coupon", initially="DEFERRED", deferrable=True),
        sa.ForeignKeyConstraint(
            ["method", "method_version", "protocol"],
            ["method.name", "method.version", "method.protocol"],
            name="fk_run_method_method_version_protocol",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["operator"], ["operator.name"], name="fk_run_operator", initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
    )
    op.create_index("ix_run_coupon", "run", ["coupon"])
    op.create_index("ix_run_file", "run", ["file"])
    op.create_index("ix_run_method_started", "run", ["method", "started"])
    op.create_index("ix_run_operator_started", "run", ["operator", "started"])
    op.create_index("ix_run_outcome_started", "run", ["outcome", "started"])
    op.create_index("ix_run_started", "run", ["started"])
    op.create_table(
        "mounting",
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("cell", sa.String(), nullable=False),
        sa.Column("orientation", sa.String(), nullable=False),
        sa.Column("edge", sa.String(), nullable=False),
        sa.Column("exposed_diameter", sa.Double(), nullable=False),
        sa.Column("exposed_diameter_u", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name="fk_mounting_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", name="pk_mounting"),
    )


def _results() -> None:
    op.create_table(
        "analysis",
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("utc", sa.String(), nullable=False),
        sa.Column("validity", sa.String(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("newest", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name="fk_analysis_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "number", name="pk_analysis"),
    )
    op.create_table(
        "result",
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("analysis", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("u", sa.Double(), nullable=True),
        sa.Column("dof", sa.Double(), nullable=True),
        sa.Column("coverage_factor", sa.Double(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("budget", sa.JSON(), nullable=False),
        sa.Column("newest", sa.Boolean(), nullable=False),
        sa.Column("started", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run", "analysis"], ["analysis.run", "analysis.number"], name="fk_result_run_analysis", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "analysis", "place", name="pk_result"),
    )
    op.create_index("ix_result_symbol_started", "result", ["symbol", "started"])
    op.create_index("ix_result_symbol_value", "result", ["symbol", "value"])


def _words() -> None:
    """Full text over the coupon table itself; three triggers keep it so."""
    columns = ", ".join(WORDS)
    new, old = (", ".join(f"{row}.{column}" for column in WORDS) for row in ("new", "old"))
    forget = f"INSERT INTO coupon_words (coupon_words, rowid, {columns}) VALUES ('delete', old.number, {old});"
    learn = f"INSERT INTO coupon_words (rowid, {columns}) VALUES (new.number, {new});"
    op.execute(
        f"CREATE VIRTUAL TABLE coupon_words USING fts5({columns}, content = 'coupon', content_rowid = 'number', "
        "tokenize = 'unicode61', detail = 'full', prefix = '1 2 3')"
    )
    op.execute(f"CREATE TRIGGER coupon_added AFTER INSERT ON coupon BEGIN {learn} END")
    op.execute(f"CREATE TRIGGER coupon_gone AFTER DELETE ON coupon BEGIN {forget} END")
    op.execute(f"CREATE TRIGGER coupon_changed AFTER UPDATE OF {columns} ON coupon BEGIN {forget} {learn} END")
