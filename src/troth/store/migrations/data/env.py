"""Runs the migrations of the store of the data on the connection that ``store.prepare`` opened."""

from troth.store.migrations.run import run

run("data")
