"""``python -m benchmarks.serving hello|shop``: one of the two servers that ``http`` compares, on a free port that it prints.

Both are uvicorn with the same settings in a process of its own. ``hello`` is the first example of FastAPI's tutorial. ``shop``
is all of Troth's pages for the site in a folder, on the two databases that are named.
"""

from __future__ import annotations

import argparse
import socket
from pathlib import Path
from typing import Any

import uvicorn


def hello() -> Any:
    """FastAPI's hello-world."""
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/")
    async def root() -> dict[str, str]:
        return {"message": "Hello World"}

    return app


def shop(folder: str, database: str, keys: str) -> Any:
    """Troth serving one site."""
    from troth.store.site import open_site
    from troth.web.app import make_app
    from troth.web.evidence import no_look

    return make_app([open_site(Path(folder), database=database, keys=keys)], look=no_look)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("which", choices=["hello", "shop"])
    parser.add_argument("where", nargs="*")
    asked = parser.parse_args()
    app = hello() if asked.which == "hello" else shop(*asked.where)
    # With its protocol named, as `troth serve` names it: else asyncio leaves Nagle's algorithm on, and an answer waits 40 ms.
    place = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    place.bind(("127.0.0.1", 0))
    place.listen()
    print(place.getsockname()[1], flush=True)  # noqa: T201
    config = uvicorn.Config(app, access_log=False, log_config=None, server_header=False)
    uvicorn.Server(config).run(sockets=[place])


if __name__ == "__main__":
    main()
