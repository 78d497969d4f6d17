"""From entries to rules that ``decide`` can be asked: what is not written here is refused.

Acts (``troth.policy.acts``): ``collect`` (the purpose is the collection point), ``read``, ``read_visits``, ``count``
(aggregates), ``disclose``, ``send`` (the recipient is the message class), ``record`` (a visit), ``cookie`` (the purpose is the
cookie), ``store``, ``keep`` (a hold).

Facts, and the rooms that establish them: ``consent:PURPOSE`` and ``consent:@RECIPIENT``, ``objection:PURPOSE`` and
``objection:@RECIPIENT`` (consent); ``case:order``, ``case:request``, ``case:ticket``, ``registered``,
``before:DAY``, ``barred``, which forbids everything, and ``corrects``, when what is held is put right and nothing is opened
for whoever asks (people);
``role:ROLE``, ``by:person``, ``by:staff`` (whoever asks); ``source:SOURCE``, ``partner:RECIPIENT`` (collection);
``safeguard:RECIPIENT``, ``consideration``, ``legal:GROUND`` (recipients);
``stop:PURPOSE`` and ``stop:@RECIPIENT``, which forbid, and the same with ``:ORIGIN``, which leaves out (consent).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import product

from troth.decide import Rule, Words
from troth.policy.acts import CORRECTS, LEGAL, OPENS, READ_VISITS, STATISTICS, STORES, USES
from troth.policy.law import processors_need_an_agreement
from troth.policy.model import CollectionPoint, MessageClass, Policy, Purpose, Recipient
from troth.policy.prohibitions import prohibitions
from troth.policy.special import needs_a_yes, special_in

PAID = ("money", "rent", "barter", "licence")
OWN_ACCESS = "own_access"
BARRED = "barred"
STOP = "stop"


def rules(policy: Policy) -> frozenset[Rule]:
    """Every rule of the effective policy."""
    written = _written(policy)
    return written.union(prohibitions(policy, _permits_among(written)))


def permits(policy: Policy) -> tuple[Rule, ...]:
    """The rules by which the policy lets something be done; what an *only* leaves out is found among them."""
    return _permits_among(_written(policy))


def _permits_among(written: Iterable[Rule]) -> tuple[Rule, ...]:
    return tuple(rule for rule in written if rule.effect == "permit")


def _written(policy: Policy) -> frozenset[Rule]:
    """All rules but those of ``absolutes``."""
    made = (
        _purposes,
        _special,
        _collection,
        _recipients,
        _messages,
        _visits,
        _cookies,
        _statistics,
        _legal,
        _measures,
        _stops,
        _always,
    )
    return frozenset(rule for section in made for rule in section(policy))


def _purposes(policy: Policy) -> Iterator[Rule]:
    for key, purpose in policy.purposes.items():
        for requires in _ways(purpose, key):
            yield Rule(
                f"purposes.{key}",
                "permit",
                frozenset({"count"} if purpose.aggregate_only else {"read", "count"}),
                frozenset({key}),
                frozenset(purpose.uses),
                people=_any_if_blank(purpose.people),
                requires=requires,
                unless=frozenset({f"objection:{key}"}),
                reason=f"the policy uses this data for `{key}`",
            )


def _special(policy: Policy) -> Iterator[Rule]:
    """Special categories are used under a condition only (GDPR Art. 9(2)); an express consent is one that was given."""
    special = frozenset(special_in(policy, policy.data))
    for key, purpose in policy.purposes.items() if special else ():
        if purpose.special and not needs_a_yes(purpose):
            continue
        yes = frozenset({f"consent:{key}"}) if needs_a_yes(purpose) else frozenset()
        reason = f"`{key}` names no condition for data that the law protects more strictly"
        if yes:
            reason = f"nobody agreed expressly to use this data for `{key}`"
        yield Rule(f"purposes.{key}", "forbid", USES, frozenset({key}), special, unless=yes, reason=reason)


def _ways(purpose: Purpose, key: str) -> Iterator[frozenset[str]]:
    consent = frozenset({f"consent:{key}"}) if purpose.basis == "consent" else frozenset()
    cases = _cases(purpose.needs)
    regime = frozenset({f"before:{purpose.before}"}) if purpose.before else frozenset()
    for case, role in product(cases, _roles(purpose)):
        yield consent | case | role | regime


def _cases(needs: Collection[str]) -> list[frozenset[str]]:
    """One set of facts for each dealing of which one must be open; one of none when nothing must be."""
    return [frozenset({_case(need)}) for need in needs] or [frozenset()]


def _case(need: str) -> str:
    return f"case:{one_word(need.removeprefix('open '))}"


def _roles(purpose: Purpose) -> list[frozenset[str]]:
    """One set of facts for each role that may act for ``purpose``; one of none when any may."""
    return [frozenset({f"role:{one_word(role)}"}) for role in purpose.roles] or [frozenset()]


def one_word(text: str) -> str:
    """``text`` as one lower-case word, the shape that facts have: ``paid order`` becomes ``paid_order``."""
    return text.lower().replace(" ", "_")


def _collection(policy: Policy) -> Iterator[Rule]:
    for key, point in policy.collection.items():
        for requires in _sources(point):
            yield Rule(
                f"collection.{key}",
                "permit",
                frozenset({"collect"}),
                frozenset({key}),
                frozenset(f for f in point.required + point.optional if policy.data[f].protect != "never stored"),
                people=frozenset({point.people}),
                requires=requires,
                unless=frozenset({"under_age"}),
                reason=f"the collection point `{key}` asks for this data",
            )


def _sources(point: CollectionPoint) -> Iterator[frozenset[str]]:
    source = frozenset({source_fact(point.source)} | ({"registered"} if point.members_only else set()))
    suppliers = [frozenset[str]()] if point.kind != "import" else []
    suppliers += [frozenset({f"partner:{partner}"}) for partner in point.partners]
    for supplier, case in product(suppliers, _cases(point.needs)):
        yield source | supplier | case


def source_fact(source: str) -> str:
    """The fact that data comes from ``source``; a point that names none has one all the same."""
    return f"source:{one_word(source) or 'unnamed'}"


def _recipients(policy: Policy) -> Iterator[Rule]:
    for key, recipient in policy.recipients.items():
        if not (paid_rightly(recipient) and bound(policy, recipient)):
            continue
        for case in _cases(recipient.needs):
            yield Rule(
                f"recipients.{key}",
                "permit",
                frozenset({"disclose"}),
                frozenset(recipient.for_),
                frozenset(recipient.receives),
                recipients=frozenset({key}),
                requires=case | _consents(key, recipient) | {f"safeguard:{key}"},
                unless=frozenset({f"objection:@{key}"}),
                reason=f"the policy names `{key}` as a recipient of this data",
            )


def paid_rightly(recipient: Recipient) -> bool:
    """Whether nothing is given for the data, or something and the person must agree to this very recipient."""
    return recipient.consideration == "none" or (recipient.consideration in PAID and sold_with_consent(recipient))


def bound(policy: Policy, recipient: Recipient) -> bool:
    """Whether a processor is bound by an agreement, where a law asks for one."""
    return recipient.role != "processor" or bool(recipient.agreement) or not processors_need_an_agreement(policy)


def sold_with_consent(recipient: Recipient) -> bool:
    """Whether a person must have agreed to this very recipient, so that data may go there for something in return."""
    return recipient.consent == "itself" or (not recipient.consent and recipient.ground == "consent")


def _consents(key: str, recipient: Recipient) -> frozenset[str]:
    if recipient.consent == "itself" or (not recipient.consent and recipient.ground == "consent"):
        return frozenset({f"consent:@{key}"})
    return frozenset({f"consent:{recipient.consent}"}) if recipient.consent else frozenset()


def _messages(policy: Policy) -> Iterator[Rule]:
    for key, message in policy.messages.items():
        yield Rule(
            f"messages.{key}",
            "permit",
            frozenset({"send"}),
            frozenset({message.for_}),
            frozenset(message.uses),
            recipients=frozenset({key}),
            requires=_election(policy, message),
            unless=_suppression(policy, message),
            reason=f"the policy sends messages of the class `{key}`",
        )


def _election(policy: Policy, message: MessageClass) -> frozenset[str]:
    """What is sent for a purpose on consent waits for the consent, whenever its class says that it is sent."""
    facts = {"registered"} if message.when == "registered" else set()
    purpose = policy.purposes.get(message.for_)
    if message.when == "elected" or (purpose is not None and purpose.basis == "consent"):
        facts.add(f"consent:{message.for_}")
    return frozenset(facts)


def _suppression(policy: Policy, message: MessageClass) -> frozenset[str]:
    """What is sent for marketing counts as promotional, whatever its class says."""
    purpose = policy.purposes.get(message.for_)
    promotional = message.kind == "promotional" or (purpose is not None and purpose.marketing)
    return frozenset({f"objection:{message.for_}"}) if promotional else frozenset()


def _visits(policy: Policy) -> Iterator[Rule]:
    visits = policy.visits
    if visits is None or visits.keep is None:
        return
    fields = frozenset(visits.records) | {"time"}
    if visits.recording:
        acts, purposes = frozenset({"record"}), frozenset({"visits"})
        yield Rule("visits.records", "permit", acts, purposes, fields, reason="the policy records visits")
    for key in visits.for_:
        purpose = policy.purposes.get(key)
        for role in _roles(purpose) if purpose is not None and purpose.basis != "consent" else ():
            acts = frozenset({"count"} if purpose is not None and purpose.aggregate_only else {READ_VISITS, "count"})
            purposes, reason = frozenset({key}), "the policy uses visits for this"
            yield Rule("visits.records", "permit", acts, purposes, fields, requires=role, reason=reason)


def _cookies(policy: Policy) -> Iterator[Rule]:
    for key, cookie in policy.cookies.items():
        if not cookie.essential and not cookie.consent:
            continue
        requires = frozenset() if cookie.essential else frozenset({f"consent:{cookie.consent}"})
        acts, purposes = frozenset({"cookie"}), frozenset({key})
        yield Rule(
            f"cookies.{key}", "permit", acts, purposes, None, requires=requires, reason=f"cookie `{key}` is declared"
        )


def _statistics(policy: Policy) -> Iterator[Rule]:
    for key, statistic in policy.statistics.items():
        if statistic.minimum_cell is not None:
            acts, purposes = frozenset({"count"}), frozenset({f"{STATISTICS}{key}"})
            yield Rule(
                f"statistics.{key}", "permit", acts, purposes, frozenset(statistic.by), reason="counted in groups only"
            )


def _legal(policy: Policy) -> Iterator[Rule]:
    for key, ground in policy.legal.items():
        yield Rule(
            f"legal.{key}",
            "permit",
            frozenset({ground.act}),
            frozenset({f"{LEGAL}{key}"}),
            None if "everything" in ground.data else frozenset(ground.data),
            requires=frozenset({f"{LEGAL}{key}"}),
            reason=f"a recorded and approved case under `{key}`",
        )


def _measures(policy: Policy) -> Iterator[Rule]:
    """Where a measure names the only purposes that staff read for, they read for no other."""
    by_staff = frozenset({"by:staff"})
    for key, measure in policy.security.items():
        others = frozenset(policy.purposes) - set(measure.for_)
        if measure.check == "access" and measure.for_ and others:
            reason = f"the measure `{key}` names the only purposes that staff read data for"
            yield Rule(f"security.{key}", "forbid", OPENS, others, None, requires=by_staff, reason=reason)


def _stops(policy: Policy) -> Iterator[Rule]:
    """Whatever permits it: what the operator has stopped is not done."""
    for key in policy.purposes:
        stopped, reason = frozenset({f"{STOP}:{key}"}), f"the operator has stopped `{key}`"
        yield Rule(f"stops.purposes.{key}", "forbid", USES, frozenset({key}), None, requires=stopped, reason=reason)
        cookies = frozenset(name for name, cookie in policy.cookies.items() if cookie.consent == key)
        if cookies:
            sets = frozenset({"cookie"})
            yield Rule(f"stops.purposes.{key}", "forbid", sets, cookies, None, requires=stopped, reason=reason)
    for key in policy.recipients:
        stopped, to = frozenset({f"{STOP}:@{key}"}), frozenset({key})
        yield Rule(
            f"stops.recipients.{key}",
            "forbid",
            frozenset({"disclose"}),
            None,
            None,
            recipients=to,
            requires=stopped,
            reason=f"the operator has stopped giving data to `{key}`",
        )


def _always(policy: Policy) -> Iterator[Rule]:
    """What holds whatever a policy says: people see their own data, and data that is never stored is not stored."""
    reads, own = frozenset({"read"}), frozenset({OWN_ACCESS})
    by_person = frozenset({"by:person"})
    yield Rule("rights.own", "permit", reads, own, None, requires=by_person, reason="people may see their own data")
    put_right, reason = frozenset({CORRECTS}), "people may have what is held about them put right"
    yield Rule("rights.corrected", "permit", reads, own, None, requires=put_right, reason=reason)
    barred = frozenset({BARRED})
    yield Rule("rights.barred", "forbid", None, None, None, requires=barred, reason="there is nobody to do this with")
    never = frozenset(key for key, data in policy.data.items() if data.protect == "never stored")
    if never:
        yield Rule("data.never_stored", "forbid", STORES, None, never, reason="this data is never stored")


def _any_if_blank(words: tuple[str, ...]) -> Words:
    return frozenset(words) or None
