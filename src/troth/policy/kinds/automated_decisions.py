"""``automated decisions``: what machines decide about people, from which data, why and to what effect, or that they never do.

A decision reads data through its purpose and through nothing else, so what it may know is what the purpose uses: the vault asks
the rules of that purpose each time. A review by a person is an entry of ``rights``. Sources: GDPR Art. 13(2)(f), 15(1)(h) and
22; UK GDPR Art. 22A-22D (Data (Use and Access) Act 2025 s. 80); 11 CCR 7200 and following (California).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from troth.policy.jsonld import Node, bare, node, ref, texts
from troth.policy.kind import NOTICE, PROOF, STATEMENT, Band, Claim, Entries, Flow, Kind, Telling, Weight, when
from troth.policy.lint.loose_ends import taken_in
from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.model import Policy, Purpose
from troth.policy.promises import Promise, Source
from troth.policy.special import special_in
from troth.policy.terms import terms
from troth.policy.vocabulary import PurposeRef
from troth.policy.words import Entry, Text

if TYPE_CHECKING:
    from troth.policy.notice.language import Speaker

ALONE, NEVER = "by a machine alone", "never"


class AutomatedDecision(Entry):
    """``automated decisions``: one decision that a machine makes about people, or that it never makes."""

    label: Text = Field(description="what is decided, such as `how much credit you get`")
    made: Literal["by a machine alone", "with a person", "never"] = Field(
        "by a machine alone",
        description="`with a person`: somebody who can decide otherwise looks at each case; `never`: nothing of the kind",
    )
    for_: PurposeRef = Field("", description="the purpose whose data it may read, and no other")
    ground: Literal["", "contract", "law", "explicit consent"] = Field(
        "", description="why a machine alone may decide (GDPR Art. 22(2))"
    )
    logic: Text | None = Field(None, description="how it is decided, in words that people understand")
    consequences: Text | None = Field(None, description="what follows from it for a person")


def decisions_of(policy: Policy) -> Mapping[str, AutomatedDecision]:
    """What the policy says of automated decisions, by id."""
    found: Mapping[str, AutomatedDecision] = getattr(policy, "automated_decisions", {})
    return found


def reviewed(policy: Policy) -> tuple[str, ...]:
    """The decisions that somebody can ask a person to look at again."""
    return tuple(key for key, one in decisions_of(policy).items() if one.made != NEVER)


def _purpose(policy: Policy, entry: AutomatedDecision) -> Purpose | None:
    return policy.purposes.get(entry.for_) if entry.made != NEVER else None


def _offers_review(policy: Policy) -> bool:
    return any(right.right == "review" for right in policy.rights.values())


def _makes(source: Source) -> Iterator[Promise]:
    for key, entry in decisions_of(source.policy).items():
        yield source.promise("decision.automated", ("automated decisions", key), entry)


def _tell(t: Telling) -> Iterator[str]:
    it, purpose = t.it, _purpose(t.policy, t.it)
    t.values["uses"] = purpose.uses if purpose else ()
    yield {ALONE: "alone", NEVER: "never"}.get(it.made, "together")
    yield from when(
        (purpose and purpose.uses, "uses"), (it.made != NEVER and not (purpose and purpose.uses), "nothing")
    )
    yield from when((it.logic, "+logic"), (it.consequences, "+consequences"), (it.ground, "+ground"))
    yield from when((it.made != NEVER and _offers_review(t.policy), "+review"))


# --- the picture of who receives what: data that a machine decides from -------------------------------------------------


def _flows(policy: Policy, speaker: Speaker) -> Iterator[Flow]:
    for entry in decisions_of(policy).values():
        purpose = _purpose(policy, entry)
        if purpose and purpose.uses:
            yield Flow(tuple(_bands(entry, purpose, speaker)), _row(entry, purpose, speaker))


def _decider(entry: AutomatedDecision, speaker: Speaker) -> str:
    return speaker.page("flow machine" if entry.made == ALONE else "flow assisted", what=speaker.text(entry.label))


def _bands(entry: AutomatedDecision, purpose: Purpose, speaker: Speaker) -> Iterator[Band]:
    families = [
        str(terms().get(speaker.policy.data[name].category, {}).get("family", "personal")) for name in purpose.uses
    ]
    for family in dict.fromkeys(families):
        title = str(speaker.words.tree["families"][family])
        yield Band(title, _decider(entry, speaker), families.count(family), purpose.basis == "consent")


def _row(entry: AutomatedDecision, purpose: Purpose, speaker: Speaker) -> tuple[str, str, str]:
    condition = speaker.page("flow consent" if purpose.basis == "consent" else "flow always")
    return _decider(entry, speaker), speaker.finish(speaker.fields(purpose.uses)), condition


# --- in the Data Privacy Vocabulary --------------------------------------------------------------------------------------


def _nodes(policy: Policy) -> Iterator[Node]:
    for key, entry in decisions_of(policy).items():
        if entry.made != NEVER:
            yield _node(key, entry)


def _node(key: str, entry: AutomatedDecision) -> Node:
    """A decision with its logic and consequences, and how much of it is a person's."""
    involved = "dpv:HumanNotInvolved" if entry.made == ALONE else "dpv:HumanInvolvementForDecision"
    logic = _described("dpv:AlgorithmicLogic", entry.logic)
    follows = _described("dpv:Consequence", entry.consequences)
    made = node("dpv:AutomatedDecisionMaking", f"#automated_decisions.{key}", hasHumanInvolvement=ref(involved))
    more = {"dpv:hasAlgorithmicLogic": logic, "dpv:hasConsequence": follows}
    return {**made, **bare(**more), "dct:title": texts(entry.label.root)}


def _described(kind: str, words: Text | None) -> list[Node]:
    return [{"@type": kind, "dct:description": texts(words.root)}] if words else []


def _process(policy: Policy, purpose: str) -> Mapping[str, list[Any]]:
    mine = [key for key, one in decisions_of(policy).items() if one.for_ == purpose and one.made != NEVER]
    return {"hasContext": ref(*(f"#automated_decisions.{key}" for key in mine))}


# --- what is wrong with how it is promised -------------------------------------------------------------------------------

unfair = rule(
    "E-41",
    "A decision by a machine without a ground, an explanation or a way to a person",
    "error",
    "It reads what its purpose may and nothing else, and whoever asks for a review gets an answer from a person.",
)
_BASES = {"contract": "contract", "law": "legal obligation", "explicit consent": "consent"}
_SPECIAL = ("explicit consent", "substantial public interest")
_CHILD = 18


def _of(policy: Policy, *made: str) -> Iterator[tuple[tuple[str, str], AutomatedDecision]]:
    for key, entry in decisions_of(policy).items():
        if not made or entry.made in made:
            yield ("automated decisions", key), entry


@unfair
def decision_from_nothing(policy: Policy, context: Context) -> Iterator[Flaw]:
    came = taken_in(policy)
    for path, entry in _of(policy):
        purpose = _purpose(policy, entry)
        lost = [name for name in purpose.uses if name not in came] if purpose and policy.collection else []
        if entry.made == NEVER and (entry.for_ or entry.ground):
            yield Flaw(path, f"`{path[1]}` is never made, and has a purpose or a ground.", "Leave out one of the two.")
        elif entry.made != NEVER and not (purpose and purpose.uses):
            message = f"nothing says which data `{path[1]}` is made from."
            yield Flaw(path, message, "Name the purpose with `for`, and the data in its `uses`.", about="information")
        elif lost:
            message = f"`{path[1]}` is made from {_listed(lost)}, which no form, import, visit or cookie takes in."
            yield Flaw((*path, "for"), message, "Ask for it at a collection point, or take it out of the purpose.")


@unfair
def decision_without_a_ground(policy: Policy, context: Context) -> Iterator[Flaw]:
    for path, entry in _of(policy, ALONE):
        purpose = _purpose(policy, entry)
        if not entry.ground and context.under("eu-gdpr"):
            message = f"a machine alone decides `{path[1]}`, and nothing says why it may."
            yield Flaw(path, message, "Write `ground: contract`, `law` or `explicit consent`.", about="ground")
        elif entry.ground and purpose and purpose.basis != _BASES[entry.ground]:
            message = f"`{path[1]}` rests on {entry.ground}, and its purpose `{entry.for_}` on {purpose.basis}."
            yield Flaw((*path, "ground"), message, "Let both rest on the same.", about="ground")


@unfair
def decision_from_special_data(policy: Policy, context: Context) -> Iterator[Flaw]:
    for path, entry in _of(policy, ALONE):
        purpose = _purpose(policy, entry)
        special = special_in(policy, purpose.uses) if purpose else ()
        if purpose and special and purpose.special not in _SPECIAL:
            message = f"a machine alone decides `{path[1]}` from {_listed(special)}, which takes an express yes."
            hint = f"Write `special: explicit consent` at `{entry.for_}`, or leave the data out."
            yield Flaw((*path, "for"), message, hint, about="special")


@unfair
def decision_that_nobody_explains(policy: Policy, context: Context) -> Iterator[Flaw]:
    for path, entry in _of(policy, ALONE):
        lacking = [key for key in ("logic", "consequences") if getattr(entry, key) is None]
        if lacking:
            message = f"people are not told of `{path[1]}`: {' and '.join(f'`{key}`' for key in lacking)} are blank."
            hint = "Say how it is decided and what follows from it, in words that people understand."
            yield Flaw(
                path, message.replace("` are", "` is") if len(lacking) == 1 else message, hint, about="information"
            )


@unfair
def decision_that_no_person_reviews(policy: Policy, context: Context) -> Iterator[Flaw]:
    """Where a law has the right, E-17 says that it is missing."""
    if _offers_review(policy) or context.european:
        return
    for path, entry in _of(policy, ALONE):
        purpose = _purpose(policy, entry)
        if not (context.under("us-ca") and purpose is not None and purpose.opt_out):
            message = f"nobody can ask a person to look at `{path[1]}` again."
            yield Flaw(path, message, "Write a right: `{right: review, by: [web, e-mail]}`.", about="review")


@unfair
def review_of_nothing(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, right in policy.rights.items():
        if right.right == "review" and not reviewed(policy):
            message = f"`{key}` is a review of automated decisions, and the policy names none."
            yield Flaw(("rights", key), message, "Name them in `automated decisions`, or leave it out.", "warning")


@unfair
def decision_about_children(policy: Policy, context: Context) -> Iterator[Flaw]:
    for path, entry in _of(policy, ALONE):
        purpose = _purpose(policy, entry)
        kinds: Iterable[str] = (purpose.people or policy.people) if purpose else ()
        young = [kind for kind in kinds if (policy.people[kind].minimum_age or _CHILD) < _CHILD]
        if young:
            message = f"a machine alone decides `{path[1]}` about {_listed(young)}, who may be children."
            yield Flaw(path, message, "Let a person decide, or name `people` of age.", "warning", about="children")


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


KEYS: Mapping[str, Claim] = {
    "label": NOTICE,
    "made": PROOF,
    "for": PROOF,
    "ground": decision_without_a_ground,
    "logic": STATEMENT,
    "consequences": STATEMENT,
}


def _concerns(policy: Policy, key: str) -> Iterable[str]:
    entry = decisions_of(policy).get(key)
    purpose = _purpose(policy, entry) if entry else None
    return purpose.people if purpose else ()


KIND = Kind(
    id="decision.automated",
    order=62,
    makes=_makes,
    tell=_tell,
    place=("why", "decisions"),
    lint=(
        decision_from_nothing,
        decision_without_a_ground,
        decision_from_special_data,
        decision_that_nobody_explains,
        decision_that_no_person_reviews,
        review_of_nothing,
        decision_about_children,
    ),
    entries=Entries(
        "automated decisions",
        Weight(
            significant=True,
            judged=lambda entry: "less" if entry.get("made") == NEVER else None,
            scales={"made": ((NEVER, "with a person", ALONE), ALONE)},
            wording=("label",),
            concerns=_concerns,
        ),
        model=AutomatedDecision,
        many=True,
        keys=KEYS,
    ),
    flows=_flows,
    nodes=_nodes,
    process=_process,
)
