"""What single clauses rest on, made a little weaker: each change lets through what a clause rules out, and no more.

A switch of ``switches.py`` turns a whole kind of promise off, and a small mutant is noticed by a test of any clause; here each
clause that is named must notice by a test of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tests.mutation.switches import Change


class Weak(NamedTuple):
    """The changes, as in ``switches.py``, and the clauses that they break, as words."""

    clauses: str
    changes: tuple[Change, ...]


_NO_CASE = "[frozenset[str]()]"
_ALL_CASES = """
found = defaultdict(set)
for row in conn.execute(select(dealing)):
    found[row.person_id].add((row.kind, row.ref))
return {person_id: frozenset(cases) for person_id, cases in found.items()}
"""
_CONSENT_BY_VISITING = """
from troth.consent.actions import Choosing, record_each
member, policy = who(site, session), site.policy()
if member:
    scopes = [*policy.policy.purposes, *(f'@{key}' for key in policy.policy.recipients)]
    chosen = [Choosing(member.person_id, scope, 'given') for scope in scopes]
    with site.writing() as conn:
        record_each(site, conn, chosen, 'By visiting you agree.', 'en', 'letter', policy)
"""
WEAK: Mapping[str, Weak] = {
    "data is used without the case that it is for": Weak(
        "F8 F26 F27 F33 F34 I5 I12 L12 O13 O17",
        (("troth.policy.rules:_ways", "_cases(purpose.needs)", _NO_CASE),),
    ),
    "any case will do, whosever it is": Weak(
        "F26 F27 F33 F34 I12 L12 O13",
        (
            ("troth.people.facts:_of_cases", "ref in (None, its)", "True"),
            ("troth.people.facts:_of_cases", "ref is None or named", "True"),
        ),
    ),
    "a case that is closed will do": Weak(
        "F26 F27 F33 F34 I5 I12 I25 L12 L15 L20 O10 O12 O13",
        (("troth.people.dealings:open_cases", "", _ALL_CASES),),
    ),
    "recipients get data without the case that it is for": Weak(
        "F26 F33 F34 I25 I27 L15 L20 O10 O12",
        (("troth.policy.rules:_recipients", "_cases(recipient.needs)", _NO_CASE),),
    ),
    "an objection to a use does not count": Weak(
        "F1 F20 F53 M8",
        (("troth.policy.rules:_purposes", "frozenset({f'objection:{key}'})", "frozenset[str]()"),),
    ),
    "an objection to mail does not count": Weak(
        "F53",
        (("troth.policy.rules:_suppression", "frozenset({f'objection:{message.for_}'})", "frozenset[str]()"),),
    ),
    "an objection to a recipient does not count": Weak(
        "F39 I20",
        (("troth.policy.rules:_recipients", "frozenset({f'objection:@{key}'})", "frozenset[str]()"),),
    ),
    "recipients get data without the consent that it waits for": Weak(
        "F32 F33 F34 F38 F39 F41 I22 L15 L16 M17 M23 M24",
        (("troth.policy.rules:_consents", "", "return frozenset()"),),
    ),
    "visits are read for every purpose": Weak(
        "M15 O1", (("troth.policy.rules:_visits", "for key in visits.for_:", "for key in policy.purposes:"),)
    ),
    "addresses of visitors are kept whole": Weak(
        "M13", (("troth.visits.rules:_shaped", "address(value, _short(compiled))", "address(value, False)"),)
    ),
    "codes of computers are kept as they are": Weak("M13", (("troth.visits.rules:_is_turned", "", "return False"),)),
    "rent and licence are no price": Weak(
        "F31 I30 L14 O24",
        (
            ("troth.recipients.rules:facts_of", "in PAID", "in ('money', 'barter')"),
            (
                "troth.policy.lint.contradictions:_sold",
                "in PAID",
                "in ('money', 'barter')",
            ),
        ),
    ),
    "only the first set of people is told of a change": Weak(
        "F81 I37 I39 O31", (("troth.messages.changing:tell", "_put(site, conn, round_, people[-1])", "None"),)
    ),
    "enquirers are told of no change": Weak(
        "F81 I37", (("troth.messages.changing:_people", "person.c.state == 'active'", "person.c.kind == 'customer'"),)
    ),
    "who looks into data and is refused leaves no trace": Weak(
        "M26 O17",
        (("troth.people.vault:_ledgered", "in asked.items()", "in asked.items() if decision.allowed"),),
    ),
    "what may not leave leaves no trace": Weak(
        "O12",
        (("troth.recipients.gate:disclose_in", "way.ledger(events.DISCLOSURE_REFUSED, ask, decision)", "None"),),
    ),
    "recipients get whatever there is": Weak(
        "F32 F33 F34 O12",
        (("troth.policy.rules:_recipients", "frozenset(recipient.receives)", "None"),),
    ),
    "a consent to one recipient is one to all": Weak(
        "F38 I22",
        (
            (
                "troth.recipients.gate:_WayOut.ask",
                "live_consent(facts, self.recipient, purpose)",
                "{f'consent:@{self.recipient}' for fact in facts if fact.startswith('consent:@')}",
            ),
        ),
    ),
    "people see what is somebody else's": Weak(
        "M11 M29",
        (("troth.people.facts:By.facts", "self.ref != person_id", "False"),),
    ),
    "a partner that nobody registered supplies data": Weak(
        "L5",
        (
            (
                "troth.collection.actions:_Intake.ask",
                "self.submission.partner not in self.site.wiring.partners",
                "False",
            ),
        ),
    ),
    "an erasure is complete though a recipient is silent": Weak(
        "F49 F64",
        (
            ("troth.retention.destroy:complete", "found.waiting and (not any(found.left.values()))", "False"),
            ("troth.retention.destroy:complete", "not found.complete", "False"),
        ),
    ),
    "the cookie of a log-in goes to other sites, too": Weak(
        "L24",
        (("troth.web.members:_cookie", "path=", "domain='example.com', path="),),
    ),
    "what is on its way is not recalled": Weak(
        "F49 F64",
        (
            (
                "troth.recipients.instructions:_instructed",
                "disclosure.c.state.in_(MAY_HAVE_ARRIVED)",
                "disclosure.c.state == 'delivered'",
            ),
        ),
    ),
    "the boxes of a form are ticked beforehand": Weak(
        "F38 I15",
        (
            (
                "troth.web.forms:_form_page",
                "draft=draft,",
                "draft=replace(draft, choices=frozenset(one.scope for one in shown.choices)),",
            ),
        ),
    ),
    "a legal ground opens all data": Weak(
        "I27 L15 L18 M23",
        (
            (
                "troth.policy.rules:_legal",
                "None if 'everything' in ground.data else frozenset(ground.data)",
                "None",
            ),
        ),
    ),
    "a visit is taken as consent": Weak(
        "I9 O3",
        (("troth.web.visits:record", "", _CONSENT_BY_VISITING),),
    ),
}
