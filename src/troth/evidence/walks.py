"""What the made-up person does: one walk for each thing that people may ask for, each by its own act against its own purpose.

A walk says whether what was asked for happened: True, False, or None when this policy offers nothing of the kind. Values of the
canary are nobody's: addresses under ``.test`` (RFC 6761), telephone numbers that Ofcom keeps for drama.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from html import unescape

from sqlalchemy import select, update

from troth.accounts.profile import account_point
from troth.evidence.asker import MADE_UP, Asker, any_text, fits, kept_for, kept_on, made_up_form
from troth.evidence.consenting import by_form, consents, silent
from troth.evidence.doors import Walk
from troth.evidence.own_cookies import log_in_sets_its_own, pages_set_none
from troth.evidence.searching import floors, search
from troth.ledger.tables import entry
from troth.logins.rules import TRIES
from troth.messages.posting import on_pages
from troth.messages.rules import can_be_stopped
from troth.people import vault
from troth.people.tables import holding, person, person_key, shape
from troth.people.vault import By
from troth.policy.compile import Compiled
from troth.policy.log_in import log_in_cookie
from troth.policy.model import Right
from troth.policy.notice import notice
from troth.retention.destroy import NEEDED_BY_HOLDS, complete, destroy, reread
from troth.retention.tables import ending
from troth.rights import rules
from troth.rights.tables import request
from troth.store.schema import data_tables

SAID_FAILED: Mapping[str, str] = {
    "collect": "a made-up person could not be taken in",
    "purpose": "a read without a promised purpose was let through",
    "access": "something was missing from the answer",
    "copy": "the copy could not be had, or lacked something",
    "correction": "a correction did not take effect",
    "restriction": "data was read in spite of a restriction",
    "withdrawal": "a withdrawal did not take effect at once",
    "objection": "an objection did not take effect at once",
    "marketing": "marketing was not stopped at once",
    "unsubscribe": "a link to unsubscribe did not stop the messages",
    "consent": "a box is ticked in advance, silence counted as a yes, or a no did not count at once",
    "complaint": "a complaint did not arrive",
    "authority": "the notice does not name whom to complain to",
    "review": "a review of a decision did not reach a person",
    "account": "an account could not be closed",
    "erasure": "something of an erased person is still there",
    "headers": "a page lacked a header that protects its reader",
    "tls": "the encryption offered there is not to be trusted",
    "password": "the log-in let a wrong password in, took an easy one, or did not let the right one in",
    "changes": "a page does not say that the policy changes",
    "cookies": "a page sets a cookie that the policy does not declare, or one that lasts longer",
}
"""What it means when a walk fails, by its kind."""
Way = Callable[[Walk], Mapping[str, bool | None]]


def walks(compiled: Compiled) -> Iterator[tuple[tuple[str, ...], str, Way]]:
    """The names, the kind and the way of each walk; what is shown of a promise is called as the promise is."""
    for form, promises in by_form(compiled).items():
        names = (*(one.id for one in promises), silent(form))
        yield names, "consent", partial(consents, compiled, form, promises)
    for name, kind, way in _of_one(compiled):
        yield (name,), kind, partial(_alone, name, way)


def _of_one(compiled: Compiled) -> Iterator[tuple[str, str, Callable[[Walk], bool | None]]]:
    yield "collect", "collect", lambda walk: Asker(walk, compiled).collect()
    yield "purpose", "purpose", lambda walk: Asker(walk, compiled).purpose()
    for key, right in compiled.policy.rights.items():
        if right.right in _WAYS:
            kind, way = _WAYS[right.right]
            yield f"rights.{key}", kind, partial(_of_right, compiled, right, way)
    for key, measure in compiled.policy.security.items():
        if measure.check == "headers":
            yield f"security.{key}", "headers", partial(_headers, compiled)
        if measure.check == "password":
            yield f"security.{key}", "password", partial(_guarded, compiled)
    if compiled.policy.cookies:
        yield "cookies", "cookies", partial(pages_set_none, compiled)
    if (own := log_in_cookie(compiled.policy)) is not None:
        yield f"cookies.{own.cookie}", "cookies", partial(log_in_sets_its_own, compiled)
    if compiled.later and on_pages(compiled.policy):
        yield "changes", "changes", partial(_announced, compiled, [one.version for one in compiled.later])
    for key, one in compiled.policy.messages.items():
        if can_be_stopped(compiled.policy, key) and one.for_:
            yield f"messages.{key}", "unsubscribe", partial(_unsubscribed, compiled, key)


def _alone(name: str, way: Callable[[Walk], bool | None], walk: Walk) -> Mapping[str, bool | None]:
    return {name: way(walk)}


def _of_right(compiled: Compiled, right: Right, way: Callable[[Asker, Right], bool | None], walk: Walk) -> bool | None:
    asker = Asker(walk, compiled)
    return way(asker, right) if asker.collect() else None


def _unsubscribed(compiled: Compiled, key: str, walk: Walk) -> bool | None:
    asker = Asker(walk, compiled, made_up_form(compiled, compiled.policy.messages[key].for_) or "")
    return asker.unsubscribe(key) if asker.collect() else None


def _headers(compiled: Compiled, walk: Walk) -> bool:
    """Every page and a page that is not there load and run nothing foreign, are framed by nobody, and name no reader."""
    pages = [walk.door.get(path) for path in ("", "/forms", f"/forms/{made_up_form(compiled)}", "/privacy", "/nowhere")]
    return all(_protects(page.headers) for page in pages) and _cookie_is_closed(compiled, walk)


def _cookie_is_closed(compiled: Compiled, walk: Walk) -> bool:
    """Whether the cookie of a log-in belongs to this host alone and no script can read it; where there is a log-in."""
    point = account_point(compiled)
    if point is None or log_in_cookie(compiled.policy) is None or not fits(compiled, point, "account"):
        return True
    asker = Asker(walk, compiled, point)
    cookies = asker.cookie(asker.token).splitlines() if asker.collect() else []
    return bool(cookies) and all("httponly" in one and "samesite" in one and "domain=" not in one for one in cookies)


EASY = ("password1234", "qwertyuiop", "1234567890")
"""passwords that many people have"""


def _guarded(compiled: Compiled, walk: Walk) -> bool | None:
    """No password that many have is taken; the right one lets in, no other does, and nothing after too many wrong ones."""
    point = account_point(compiled)
    if point is None or not fits(compiled, point, "account"):
        return None
    asker = Asker(walk, compiled, point, easy=EASY)
    if not asker.collect():
        return False
    let_in = asker.logs_in(asker.token)
    wrong = [asker.logs_in(f"{asker.token}{number}") for number in range(TRIES)]
    return let_in and not any(wrong) and not asker.logs_in(asker.token)


def _protects(headers: Mapping[str, str]) -> bool:
    policy = headers.get("content-security-policy", "")
    return (
        "default-src 'none'" in policy
        and "frame-ancestors 'none'" in policy
        and headers.get("x-content-type-options") == "nosniff"
        and headers.get("referrer-policy") == "no-referrer"
        and "max-age=" in headers.get("strict-transport-security", "")
    )


def _announced(compiled: Compiled, coming: Sequence[int], walk: Walk) -> bool:
    """Every page says which versions come and leads to what each changes: those for everybody, and somebody's own."""
    pages = [
        walk.door.get(path) for path in ("", "/forms", f"/forms/{made_up_form(compiled)}", "/privacy", "/versions")
    ]
    asker = Asker(walk, compiled)
    if rules.terms(compiled, "access").offered and asker.collect():
        pages += [page for page in [asker.centre("access")] if page is not None]
    led = all(walk.door.get(f"/changes/{version}").status == 200 for version in coming)
    return led and all(f"/changes/{version}" in _aside(page.text) for version in coming for page in pages)


def _aside(page: str) -> str:
    """What a page says of changes; blank when it says nothing."""
    return page.partition('<aside class="announcement"')[2].partition("</aside>")[0]


def _access(asker: Asker, right: Right) -> bool:
    page = asker.centre(right.right)
    missing = {name for name, value in asker.values().items() if page is None or value not in page.text}
    return missing <= set(asker.compiled.policy.collection[asker.point].keeps_when_different)


def _copy(asker: Asker, right: Right) -> bool:
    page = asker.centre(right.right)
    if page is None:
        return False
    copied = asker.walk.door.post("/privacy/copy", {**asker.walk.visit(page), "format": "json"})
    if copied.status != 200:
        return False
    lacking = set(asker.values().values()) - set(_texts(json.loads(copied.text)))
    spared = asker.compiled.policy.collection[asker.point].keeps_when_different
    return lacking <= {value for name, value in asker.values().items() if name in spared}


def _texts(found: object) -> Iterator[str]:
    """Every text in a document of JSON."""
    if isinstance(found, str):
        yield found
    for one in found.values() if isinstance(found, dict) else found if isinstance(found, list) else ():
        yield from _texts(one)


def _correction(asker: Asker, right: Right) -> bool | None:
    """Of a text that the page offers to correct; a policy may ask for none but what a person is found by."""
    page = asker.centre("access")
    if page is None:
        return False
    offered = set(re.findall(r'name="field\.(\w+)"', page.text))
    free = [name for name, value in asker.values().items() if value == any_text(asker.token) and name in offered]
    if not free:
        return None
    visit = asker.walk.visit(page)
    new = f"{asker.token} corrected"
    answer = asker.walk.door.post("/privacy/correct", {**visit, f"field.{free[0]}": new})
    held = vault.everything(asker.walk.site, asker.person_id, By("person", ref=asker.person_id))
    return answer.status == 200 and any(one.fields.get(free[0]) == new for one in held)


def _restriction(asker: Asker, right: Right) -> bool | None:
    """What was read before is read no more; where nothing could be read of them by itself, that shows nothing."""
    free = [purpose for purpose in asker.compiled.policy.purposes if asker.reads(purpose)]
    done = asker.confirmed("restriction") and asker.state("restriction") == ("closed", "done")
    if not done or any(map(asker.reads, free)):
        return False
    return True if free else None


def _objection(asker: Asker, right: Right) -> bool | None:
    """To exactly what this right names; an objection that has to be weighed stops the use until somebody has decided."""
    policy = asker.compiled.policy
    scopes = rules.scopes(policy, "objection", right.against)
    if not scopes:
        return None
    page = asker.centre("access")
    visit = asker.walk.visit(page) if page else {}
    answer = asker.walk.door.post("/privacy/object", {**visit, **{f"no.{scope}": "yes" for scope in scopes}})
    return answer.status == 200 and {f"objection:{scope}" for scope in scopes} <= asker.facts()


def _withdrawal(asker: Asker, right: Right) -> bool | None:
    policy = asker.compiled.policy
    scopes = [s for s in rules.scopes(policy, "withdrawal", right.against) if rules.rests_on_consent(policy, s)]
    given = [scope for scope in scopes if f"consent:{scope}" in asker.facts()]
    if not given:
        return None
    done = asker.confirmed("withdrawal")
    return done and not {f"consent:{scope}" for scope in given} & asker.facts()


def _marketing(asker: Asker, right: Right) -> bool | None:
    """Somebody who may be written to asks for no more of it; where nobody may be, that shows nothing."""
    policy = asker.compiled.policy
    scopes = rules.scopes(policy, "stop marketing", ())
    asker = _agreeing(asker, [scope for scope in scopes if rules.rests_on_consent(policy, scope)])
    wanted = [
        f"objection:{scope}" if rules.state_of_no(policy, "stop marketing", scope) == "objected" else scope
        for scope in scopes
    ]
    if not any(map(partial(_still, asker.facts()), wanted)):
        return None
    return asker.ask("stop marketing") and not any(map(partial(_still, asker.facts()), wanted))


def _agreeing(asker: Asker, scopes: Sequence[str]) -> Asker:
    """The made-up person, or another who came in by a form that asks for a yes to one of ``scopes``, and gave it."""
    for scope in scopes:
        form = made_up_form(asker.compiled, scope) or ""
        if form and scope in asker.compiled.policy.collection[form].offers:
            other = Asker(asker.walk, asker.compiled, form)
            return other if other.collect() else asker
    return asker


def _still(facts: Collection[str], no: str) -> bool:
    """Whether ``facts`` let somebody be written to in spite of ``no``: an objection, or the scope of a yes taken back."""
    return no not in facts if no.startswith("objection:") else f"consent:{no}" in facts


def _complaint(asker: Asker, right: Right) -> bool:
    asked = asker.ask("complaint", text=f"{asker.token} is not content")
    asker.walk.work()
    told = any(asker.email in one.recipients for one in asker.walk.mailbox.messages())
    return asked and told and asker.state("complaint")[0] == "open"


def _review(asker: Asker, right: Right) -> bool | None:
    """It waits for a person, names what was decided, and whoever asked is told by when they have an answer."""
    policy = asker.compiled.policy
    decided = rules.about(policy, rules.REVIEW, (), ())
    if not decided:
        return None
    done = asker.confirmed(rules.REVIEW, text=f"{asker.token} sees it otherwise")
    with asker.walk.site.reading() as conn:
        mine = (request.c.right == rules.REVIEW) & (request.c.person_id == asker.person_id)
        about = conn.scalar(select(request.c.about).where(mine))
    return done and asker.state(rules.REVIEW)[0] == "open" and tuple(about or ()) == decided


def _authority(asker: Asker, right: Right) -> bool | None:
    """An authority needs no door of ours: the notice must say which one it is, and where it is found."""
    key = next(key for key, one in asker.compiled.policy.rights.items() if one is right)
    told = notice(asker.compiled, asker.compiled.policy.policy.languages[0])
    listed = [line for item in told.items if item.promise_id == f"rights.{key}" for line in item.listing]
    page = unescape(asker.walk.door.get("").text)
    return all(line.text in page and line.url in page for line in listed) if listed else None


def _erasure(asker: Asker, right: Right) -> bool:
    """Out of every reach at once; then destroyed as at the deadline, and looked for in every table of both stores.

    Where the form cannot do without what an archive keeps, nothing but that may be left, sealed and for the purposes of the
    archive alone, and nobody finds it.
    """
    site, since = asker.walk.site, floors(asker.walk.site)
    if not asker.confirmed("erasure") or asker.in_use():
        return False
    with site.writing() as conn:
        mine = ending.c.person_id == asker.person_id
        ids = list(conn.scalars(select(ending.c.id).where(mine)))
        conn.execute(update(ending).where(mine).values(destroy_by=site.now()))
    for one in ids:
        destroy(site, one)
        complete(site, one)
    stays: Collection[str] = ()
    if kept := kept_on(asker.compiled, asker.point):
        if any(reread(site, one).left["quarantine"] for one in ids) or not _kept_apart(asker, kept) or asker.in_use():
            return False
        stays = {*NEEDED_BY_HOLDS, person.name, person_key.name}
    unique = [value for value in asker.values().values() if value != MADE_UP["pd:BirthDate"](asker.token)]
    outlive = {table.name for table in data_tables.sorted_tables if "outlives" in table.info} | {entry.name, *stays}
    found = search(site, [asker.token, *unique], (), since) + search(site, [asker.person_id], outlive, since)
    return bool(ids) and not found


def _kept_apart(asker: Asker, kept: Collection[str]) -> bool:
    """Whether nothing but ``kept`` is left of them, each part only for purposes for which an archive keeps it."""
    parts = select(shape.c.fields, holding.c.only_for).join(holding, holding.c.shape_id == shape.c.id)
    with asker.walk.site.reading() as conn:
        rows = conn.execute(parts.where(holding.c.person_id == asker.person_id)).all()
    return all(
        set(row.fields.split()) <= set(kept)
        and row.only_for is not None
        and all(set(row.fields.split()) <= kept_for(asker.compiled, asker.point, one) for one in row.only_for.split())
        for row in rows
    )


_WAYS: Mapping[str, tuple[str, Callable[[Asker, Right], bool | None]]] = {
    "access": ("access", _access),
    "copy": ("copy", _copy),
    "portability": ("copy", _copy),
    "correction": ("correction", _correction),
    "restriction": ("restriction", _restriction),
    "objection": ("objection", _objection),
    "withdrawal": ("withdrawal", _withdrawal),
    "stop marketing": ("marketing", _marketing),
    "complaint": ("authority", _authority),
    "complaint to us": ("complaint", _complaint),
    "review": ("review", _review),
    "erasure": ("erasure", _erasure),
}
