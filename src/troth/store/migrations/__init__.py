"""Migrations of the two stores. ``python scripts/migration.py MESSAGE`` drafts one from the declared tables."""
