"""The small shop with a line that lets customers show something of themselves, for the tests of public profiles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from troth.clock import MovedClock
from troth.store import versions
from troth.store.site import Site

EVERYONE = (
    "  everyone: {name: Everybody, does: can read what you choose to show, role: public, receives: [full_name, interest], "
    "for: [showcase], consent: itself, consideration: none, essential: false}\n"
)
SHOWCASE = "  showcase: {label: show what you like, basis: consent, uses: [full_name, interest], essential: false}\n"
PRIVATE = "  interest_private: {never: disclose, what: [interest], unless: [court], label: We never give away what you like.}\n"
EDITS = {
    "recipients:\n": f"recipients:\n{EVERYONE}",
    "purposes:\n": f"purposes:\n{SHOWCASE}",
    PRIVATE: "",
    "to: [courier, newsletter_house]": "to: [courier, newsletter_house, everyone]",
}


def with_everyone(site: Site) -> Site:
    """Publish a version of the shop's policy that names everybody as a recipient of a name and of what somebody likes."""
    published(site, EDITS)
    return site


def published(site: Site, edits: Mapping[str, str]) -> None:
    """Publish the next version of the shop's policy, with ``edits``, in force from now on."""
    policy, decisions = ((site.folder / name).read_text() for name in ("policy.yaml", "decisions.yaml"))
    for old, new in edits.items():
        assert old in policy, old
        policy = policy.replace(old, new, 1)
    policy = re.sub(r"version: (\d+)", lambda found: f"version: {int(found[1]) + 1}", policy, count=1)
    (site.folder / "policy.yaml").write_text(policy)
    with site.writing() as conn:
        versions.archive(conn, policy, decisions, effective_at=site.now(), at=site.now())
    assert isinstance(site.clock, MovedClock)
    site.clock.move(timedelta(minutes=1))
