"""Dumps a PostgreSQL store with ``pg_dump``: the one program that is started, told nothing but where the store is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import Engine

from troth.errors import StoreError


def dump(engine: Engine, to: Path) -> None:
    """Dump the schema that ``engine`` works in into ``to``. Raises ``StoreError`` without the program, or when it fails."""
    program = os.environ.get("TROTH_PG_DUMP") or shutil.which("pg_dump")
    if not program:
        raise StoreError("`pg_dump` is not on this machine.", "Install it: `apt install postgresql-client`.")
    with engine.connect() as conn:
        schema = conn.exec_driver_sql("SELECT current_schema()").scalar_one()
    url = engine.url
    where = {"PGHOST": url.host or url.query.get("host"), "PGPORT": url.port, "PGUSER": url.username}
    where |= {"PGPASSWORD": url.password, "PGDATABASE": url.database}
    env = {**os.environ, **{name: str(value) for name, value in where.items() if value}}
    command = [program, "--format=plain", "--no-owner", "--no-privileges", f"--schema={schema}", f"--file={to}"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)  # noqa: S603  (no shell, our own words)
    if done.returncode == 0:
        return
    if "version mismatch" in done.stderr:
        hint = "Install the client of the server's version, or name it in the variable TROTH_PG_DUMP."
        raise StoreError("`pg_dump` is older than the server.", hint)
    raise StoreError("`pg_dump` failed.", done.stderr.strip().splitlines()[-1][:300] if done.stderr.strip() else "")
