"""``troth publish``: the policy in the files, as a version that lasts; or a version that is to come, taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from troth.commands.asking import Folder, Json
from troth.commands.saying import as_json, aside

if TYPE_CHECKING:
    from troth.store.site import Site

Version = Annotated[int, typer.Option("--take-back", metavar="VERSION", help="one that has not taken effect yet")]


def publish(site: Folder, take_back: Version = 0, json_: Json = False) -> None:
    """Publish the policy in the files as a version: make the stores and the site key if need be, and archive it.

    What is published is never changed; a version that is published already is left as it is. The pages say from now on that
    it comes, and where the policy promises it, the worker tells people by e-mail and reminds them. A version that
    has not taken effect can be taken back (`--take-back 2`): it never does then, and those who were written to are told.

    \b
    Example: troth publish my-shop
    Exit: 0 published; 1 an error is unsettled, or its number or its day does not fit; 2 a file or a version is missing.
    """
    from troth.commands.opening import made_ready, opened, settled
    from troth.ledger.seal import seal

    if not take_back:
        settled(site, "published")
    with opened(site) as site_:
        made_ready(site_)
        done = _taken_back(site_, take_back) if take_back else _published(site_)
        seal(site_)
    if json_:
        as_json({key: value for key, value in done.items() if key != "words"})
    else:
        aside(f"{done['site']}: {done['words']}")


def _published(site: Site) -> dict[str, object]:
    from troth.clock import iso
    from troth.messages import changing
    from troth.messages.publish import publish

    done = publish(site)
    changing.announce(site, done.version)
    effective = iso(done.effective_at)
    was = "is published already" if done.already else "is published"
    said = f"version {done.version} {was}; in effect from {effective}."
    posted = _posted(site, done.version)
    if posted:
        said += f"\n  Its pages say so: {posted}"
    told = {"site": site.name, "version": done.version, "effective_at": effective, "already": done.already}
    return told | {"words": said}


def _taken_back(site: Site, version: int) -> dict[str, object]:
    from troth.messages.publish import take_back

    take_back(site, version)
    return {"site": site.name, "version": version, "taken_back": True, "words": f"version {version} is taken back."}


def _posted(site: Site, version: int) -> str:
    """Look at the site's own notice, as a reader's browser would, and put on record what it says of the change; where.

    It is a trial, so that a look of ours counts as nobody's visit.
    """
    from troth.errors import PolicyError
    from troth.messages.posting import note_in
    from troth.store.trial import Stage
    from troth.web.inside import Inside

    stage = Stage(site)
    try:
        door = Inside(stage.site)
    except PolicyError:  # the pages cannot be served here; the first reader's look is recorded then
        return ""
    with stage.trial():
        page = door.get("")
    if f'href="/{site.name}/changes/{version}"' not in page.text:
        return ""
    with site.writing() as conn:
        note_in(conn, version, site.now())
    return f"{site.wiring.base_url.rstrip('/')}/changes/{version}"
