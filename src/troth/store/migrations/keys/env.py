"""Runs the migrations of the store of the keys on the connection that ``store.prepare`` opened."""

from troth.store.migrations.run import run

run("keys")
