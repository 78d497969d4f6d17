"""What the figures were taken on: only what helps to read them."""

from __future__ import annotations

import os
import platform
import sqlite3
import tempfile
from importlib.metadata import version
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from benchmarks.measure import seconds
from tests.databases import libpq

SYNCS = 50


def facts(server: str | None) -> dict[str, object]:
    """Processors, versions, how durable the server is, and how long the disk takes to sync a page."""
    found: dict[str, object] = {"processors": os.cpu_count(), "python": platform.python_version()}
    found |= {"sqlite": sqlite3.sqlite_version, "sync of 4 KiB, microseconds": round(1e6 * _sync())}
    found["load before"] = round(os.getloadavg()[0], 1)
    found |= {name: version(name) for name in ("sqlalchemy", "psycopg", "cedarpy", "pycasbin")}
    if server:
        with psycopg.connect(libpq(make_url(server))) as conn:
            for name in ("server_version", "fsync", "synchronous_commit", "shared_buffers"):
                row = conn.execute(f"SHOW {name}").fetchone()
                found[f"postgresql {name}"] = str(row[0]).split(" ")[0] if row else ""
    return found


def _sync() -> float:
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "page").open("wb", buffering=0) as file:

        def write() -> None:
            for _ in range(SYNCS):
                file.write(bytes(4096))
                os.fsync(file.fileno())

        return seconds(write, SYNCS)
