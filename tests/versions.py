"""A next version of a site's policy, published as ``troth publish`` does once both files are written."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from troth.messages.publish import Published, publish
from troth.policy.diff import effective_from
from troth.store.site import Site


def publish_next(
    site: Site, change: Callable[[str], str] = lambda text: text, effective: date | None = None, number: int = 2
) -> Published:
    """Write version ``number`` with ``change`` of the policy's text, and publish it, to take effect as early as it may."""
    day = effective or effective_from(site.policy().policy, site.now()).date()
    for name in ("policy.yaml", "decisions.yaml"):
        path = site.folder / name
        text = re.sub(r"\beffective: [0-9-]{10}", f"effective: {day}", path.read_text("utf-8"))
        text = re.sub(rf"\bversion: {number - 1}\b", f"version: {number}", text)
        path.write_text(change(text) if name == "policy.yaml" else text, "utf-8")
    return publish(site)
