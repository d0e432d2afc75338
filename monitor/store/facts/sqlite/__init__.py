"""The facts in one SQLite file: one process writes it, any number read it."""
