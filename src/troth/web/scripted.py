"""The one script there is, for passkeys: a browser hands them to no page without one.

What could go wrong: a page that lets scripts in lets in somebody else's. So two pages alone run it, from our own address, with
nothing written into the page and nothing fetched; what it needs stands in the form, and what it finds goes out with the form.
Without it both pages work, and say what else there is.
"""

from __future__ import annotations

from litestar import Response

from troth.web.guard import POLICY

SCRIPTED = f"{POLICY}; script-src 'self'"


def with_script(answer: Response[str]) -> Response[str]:
    """``answer`` with leave to run the scripts of this host."""
    answer.headers["Content-Security-Policy"] = SCRIPTED
    return answer
