"""Members in a demo: who opens an account, logs in and uses what is behind it, and who closes it again."""

from __future__ import annotations

import re
from collections.abc import Iterator

from troth.accounts.profile import account_point
from troth.policy.compile import Compiled
from troth.rehearsal.demo_people import PASSWORD, Somebody


def fields_shown(somebody: Somebody, page: str, prefix: str) -> list[str]:
    """The fields that a form of theirs asks for."""
    return re.findall(rf'name="{prefix}\.(\w+)"', somebody.walk.door.get(page).text)


def member_forms(compiled: Compiled) -> Iterator[str]:
    """The forms that only members see."""
    for key, point in compiled.policy.collection.items():
        if point.members_only and point.kind == "form":
            yield key


def joins(somebody: Somebody) -> bool:
    """Open an account by the link in the mail, and log in; whether there are accounts here and this worked."""
    somebody.form = account_point(somebody.compiled) or ""
    return bool(somebody.form) and somebody.collect() and somebody.logs_in(PASSWORD)


def looks_around(somebody: Somebody) -> None:
    """Fill in what is for members, change the profile, and let everybody see what the policy lets members show."""
    for form in member_forms(somebody.compiled):
        somebody.hands_in(form)
    policy = somebody.compiled.policy
    kinds = {name: policy.data[name].category for name in fields_shown(somebody, "/account/profile", "field")}
    changed = {name: value for name, value in somebody.made_up(kinds, again=1).items() if kinds[name] != "pd:Name"}
    kept = {name: value for name, value in somebody.values().items() if name in kinds}
    profile = {f"field.{name}": value for name, value in (kept | changed).items()}
    somebody.press("/account/profile", "/account/profile", **profile)
    _shows(somebody)


def _shows(somebody: Somebody) -> None:
    shown = {f"show.{name}": "yes" for name in fields_shown(somebody, "/account/public", "show")}
    if not shown:
        return
    before = somebody.press("/account/public", "/account/public", **shown)
    somebody.walk.door.post("/account/public/save", {"token": somebody.walk.token(before), **shown})
    for address in re.findall(r'href="/[\w-]+(/profiles/[\w-]+)"', somebody.walk.door.get("/account/public").text):
        somebody.walk.door.get(address)


def leaves(somebody: Somebody) -> None:
    """Close the account; what is held stays for as long as the policy says."""
    somebody.press("/account/cancel", "/account/leave")
