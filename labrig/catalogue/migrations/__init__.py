"""How a catalogue's tables came to be, step by step (Alembic)."""
