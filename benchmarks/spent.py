"""Where the time of a run goes, by room of Troth and by library: a profiler's answer in one line."""

from __future__ import annotations

import cProfile
import pstats
import re
from collections import Counter
from collections.abc import Callable

MOST = 5
_BUILT_IN = {
    r"sqlite3": "SQLite itself",
    r"psycopg|select\.|epoll|poll|_socket|recv": "PostgreSQL and waiting for it",
    r"_rust|openssl|AESGCM|aes_key|hmac|hash": "cryptography",
    r"json|encode|decode": "JSON and text",
    r"fsync|posix|_io\.": "files",
}


def spent(act: Callable[[], object]) -> str:
    """The largest parts of what ``act`` spends its time on, such as ``38% SQLite itself, 21% sqlalchemy``."""
    profile = cProfile.Profile()
    profile.runcall(act)
    parts: Counter[str] = Counter()
    for (path, _, name), row in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        parts[_part(path, name)] += row[2]
    whole = sum(parts.values()) or 1.0
    return ", ".join(f"{100 * part / whole:.0f}% {name}" for name, part in parts.most_common(MOST))


def _part(path: str, name: str) -> str:
    if path == "~":
        return next((said for pattern, said in _BUILT_IN.items() if re.search(pattern, name)), "built-in functions")
    room = re.search(r"/troth/(\w+)(?:/(\w+))?", path)
    if room:
        return f"troth {room[1]}/{room[2]}" if room[2] and not path.endswith(f"{room[1]}.py") else f"troth {room[1]}"
    library = re.search(r"site-packages/(\w+)", path)
    if library:
        return "PostgreSQL and waiting for it" if library[1].startswith("psycopg") else library[1]
    if "/benchmarks/" in path:
        return "the benchmark"
    return "Python's library"
