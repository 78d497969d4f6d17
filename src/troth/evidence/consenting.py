"""Consent as it is asked for: what the made-up person does about it, and the proof that this and all real choices bear out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser

from troth.bindings import REPLAYED, proves
from troth.consent.actions import record
from troth.consent.proofs import SILENCE, recorded
from troth.evidence.asker import Asker, made_up_form
from troth.evidence.doors import Page, Walk
from troth.evidence.walked import together, walked
from troth.policy.compile import Compiled
from troth.policy.promises import Promise
from troth.proof import Proof, Proving
from troth.rights import rules


@proves(
    "consent.choice",
    covers=("basis", "consent"),
    enforced_by=(record,),
    rests_on={**REPLAYED, "choice": "scope", "shown": "", "account": ""},
)
def choice(proving: Proving, promise: Promise) -> Proof:
    """Real choices bear out every use; and somebody made up was asked, was taken for a no, and took back a yes."""
    found = recorded(proving, promise)
    tried = walked(proving, promise.id, found.limit)
    if found.verdict == "broken" or tried is None:
        return replace(found, unshown=("consent",) if found.verdict == "kept" else ())
    return together(proving, found, tried) if found.verdict == tried.verdict else tried


def by_form(compiled: Compiled) -> Mapping[str, list[Promise]]:
    """The promises that people may say yes or no to, by the form at which the made-up person is asked, or comes in by."""
    found: dict[str, list[Promise]] = defaultdict(list)
    for promise in compiled.promises:
        form = _form(compiled, promise) if chosen(compiled, promise) else None
        if form is not None:
            found[form].append(promise)
    return found


def _form(compiled: Compiled, promise: Promise) -> str | None:
    """Of what people may say yes or no to: the form that asks it, and asks for something that is used then."""
    section, key = promise.path[:2]
    used = compiled.policy.purposes[key].uses if section == "purposes" else ()
    return made_up_form(compiled, key, used)


def chosen(compiled: Compiled, promise: Promise) -> bool:
    """Whether people say yes or no to what is promised: a consent, or a use on another basis that they may opt out of."""
    if promise.kind != "purpose.use":
        return promise.kind == "consent.choice"
    purpose = compiled.policy.purposes[promise.path[1]]
    return purpose.basis != "consent" and purpose.opt_out


def consents(compiled: Compiled, form: str, promises: Sequence[Promise], walk: Walk) -> Mapping[str, bool | None]:
    """Of each promise, whether the form asks and nothing is ticked, silence is no yes, and a no counts where a yes does.

    One that may be given data until somebody says no is switched off instead. None where the privacy centre cannot be reached
    or does not ask, or where what they say no to uses nothing of the made-up person. And of ``silent`` for the
    form, whether nobody who only sends it has agreed to anything.
    """
    ids, asker = [one.id for one in promises], Asker(walk, compiled, form)
    there = boxes(walk.door.get(f"/forms/{form}").text)
    asked = {f"choice.{one}" for one in compiled.policy.collection[form].offers} <= there.keys()
    if not asked or any(there.values()) or not asker.collect(ticking=()):
        return {**dict.fromkeys(ids, False), silent(form): False if any(there.values()) else None}
    heard = {silent(form): not any(fact.startswith("consent:") for fact in asker.facts())}
    page = asker.centre("access")
    if page is None:
        return heard | dict.fromkeys(ids)
    centre = _Centre(asker, page)
    return heard | {one.id: centre.obeys(_scope(one)) for one in promises}


def silent(form: str) -> str:
    """What the try is called that silence at ``form`` is no yes."""
    return f"{SILENCE}{form}"


def _scope(promise: Promise) -> str:
    section, key = promise.path
    return key if section == "purposes" else f"@{key}"


class _Centre:
    """The choices of the made-up person's privacy centre; every time they are saved the page is there anew."""

    def __init__(self, asker: Asker, page: Page) -> None:
        self._asker, self._page = asker, page

    def obeys(self, scope: str) -> bool | None:
        """Whether silence, a yes and a no about ``scope`` count as such, when reading as well; None if it is not offered, or if
        a purpose that may go on until somebody says no uses nothing of theirs."""
        boxed = f"on.{scope}"
        there = {name: ticked for name, ticked in boxes(self._page.text).items() if name.startswith("on.")}
        if boxed not in there:
            return None
        asked = rules.rests_on_consent(self._asker.compiled.policy, scope)
        others = {name for name, ticked in there.items() if ticked} - {boxed}
        quiet, yes = self._counts(scope, asked), self._saved({*others, boxed}) and self._counts(scope, asked)
        read, no = self._read(scope), self._saved(others) and self._counts(scope, asked)
        counts = quiet is not asked and yes and not no and not (read and self._read(scope))
        return None if counts and not asked and self._holds_nothing(scope) else counts

    def _holds_nothing(self, scope: str) -> bool:
        """Whether the purpose ``scope`` uses nothing of what they handed in, so that their no could change no reading."""
        used = () if scope.startswith("@") else self._asker.compiled.policy.purposes[scope].uses
        return bool(used) and not set(used) & self._asker.values().keys()

    def _counts(self, scope: str, asked: bool) -> bool:
        """Whether what they said of ``scope`` lets it be done: a yes where they are asked, no objection where they are not."""
        fact = f"consent:{scope}" if asked else f"objection:{scope}"
        return (fact in self._asker.facts()) is asked

    def _saved(self, ticked: set[str]) -> bool:
        """Save the choices with these boxes ticked; whether that was taken."""
        walk = self._asker.walk
        sent = {**walk.visit(self._page), **dict.fromkeys(sorted(ticked), "yes")}
        answer = walk.door.post("/privacy/choices", sent)
        if 'name="sure"' in answer.text:  # it is said first that an open order may need it
            answer = walk.door.post("/privacy/choices", {**sent, **walk.visit(answer), "sure": "yes"})
        if answer.status == 200 and not boxes(answer.text):  # what waits is said on a page of its own
            answer = walk.door.post("/privacy/centre", walk.visit(self._page))
        self._page = answer
        return answer.status == 200

    def _read(self, scope: str) -> bool:
        return not scope.startswith("@") and self._asker.reads(scope)


def boxes(page: str) -> dict[str, bool]:
    """The check boxes of a page by their names, and whether each is ticked."""
    reader = _Boxes()
    reader.feed(page)
    return reader.found


class _Boxes(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, bool] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "input" and told.get("type") == "checkbox":
            name = told.get("name") or ""
            self.found[name] = self.found.get(name, False) or "checked" in told
