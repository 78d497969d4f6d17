"""``troth publish``: a version into the archive."""

from __future__ import annotations

from troth.commands.asking import Folder, Json
from troth.commands.saying import as_json, aside


def publish(site: Folder, json_: Json = False) -> None:
    """Publish the policy in the files as a version: make the stores and the site key if need be, and archive it.

    What is published is never changed; a version that is published already is left as it is. Where the policy promises it, the
    worker then tells people of a new version by e-mail.

    \b
    Example: troth publish my-shop
    """
    from troth.clock import iso
    from troth.commands.opening import made_ready, opened, settled
    from troth.ledger.seal import seal
    from troth.messages import changing
    from troth.messages import publish as publishing

    settled(site)
    with opened(site) as site_:
        made_ready(site_)
        done = publishing.publish(site_)
        changing.announce(site_, done.version)
        seal(site_)
    effective = iso(done.effective_at)
    if json_:
        as_json({"site": site_.name, "version": done.version, "effective_at": effective, "already": done.already})
    else:
        was = "is published already" if done.already else "is published"
        aside(f"{site_.name}: version {done.version} {was}; in effect from {effective}.")
