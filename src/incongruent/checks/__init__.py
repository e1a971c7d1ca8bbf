"""Checks: numbers only; each returns a record that prints as a sentence or a table."""
