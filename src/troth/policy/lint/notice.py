"""What a notice must hold to be one: who speaks, since when, how changes are told, what happens in a breach."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from troth.policy.law import Profile, has_several_authorities
from troth.policy.lint.registry import Context, Flaw, rule, rule_for_a_value
from troth.policy.model import Policy
from troth.policy.periods import Period

changes = rule("E-07", "Changes are told too weakly", "error", "No version takes effect before it was posted and told.")
operator = rule_for_a_value("E-13", "Who is responsible, or how to reach them, is missing", "error")
breach = rule(
    "E-19", "No word on breaches; obsolete or vague security words", "warning", "The law's breach clocks run."
)
version = rule("E-26", "No version or effective date", "warning", "It is set when the policy is published.")
answers = rule_for_a_value("E-27", "A promised answer is empty", "error", ", or not promised")

SHORTEST_LEAD = Period(7, "day")
"""below which nobody on holiday hears of a change (WP260 rev.01, paragraphs 29-31: well in advance)"""
_OBSOLETE = re.compile(r"\b(SSL|TLS 1\.[01]|MD5|SHA-?1|3?DES|RC4|WEP)\b")
_VAGUE = re.compile(
    r"state.of.the.art|a number of measures|reasonable (?:steps|measures)|best efforts?|appropriate", re.I
)


@changes
def changes_nobody_hears_of(policy: Policy, context: Context) -> Iterator[Flaw]:
    told = policy.changes
    if told is None or not told.told_by:
        only = ", people are only asked to look again" if told and told.check_back else ""
        message = f"nothing says how people are told of a change{only}."
        yield Flaw(("changes",), message, "Write `told by: [page, e-mail]` and a `lead time`.")
    elif told.lead_time is None:
        message = "a change may take effect the moment it is told; nothing gives people time to react."
        yield Flaw(("changes",), message, "Write `lead time: 30 days`, or another period.", "warning")
    elif set(told.told_by) == {"page"}:
        message = "a change is only posted on the page, where nobody looks who does not already know of it."
        yield Flaw(("changes",), message, "Add `banner` or `e-mail` to `told by`.", "warning")


@changes
def change_told_by_a_mail_that_does_not_exist(policy: Policy, context: Context) -> Iterator[Flaw]:
    told = policy.changes
    if told and "e-mail" in told.told_by and all(message.kind != "notice" for message in policy.messages.values()):
        message = "changes are told by e-mail, and there is no class of messages for it: nobody is written to."
        yield Flaw(("changes", "told by"), message, "Write a message class of kind `notice`.")


@changes
def change_told_too_late(policy: Policy, context: Context) -> Iterator[Flaw]:
    told = policy.changes
    if told is None or told.lead_time is None or not told.told_by:
        return
    if told.lead_time < SHORTEST_LEAD:
        message = f"a change takes effect {told.lead_time} after it is told; nobody can react in that time."
        yield Flaw(("changes", "lead time"), message, "Write `lead time: 30 days`, or another period.", "warning")
    if told.remind_every and told.remind_every >= told.lead_time:
        message = f"people are reminded every {told.remind_every}: the first reminder comes when it is too late."
        yield Flaw(("changes", "remind every"), message, "Write a time shorter than `lead time`.", "warning")


@changes
def reminder_that_nobody_gets(policy: Policy, context: Context) -> Iterator[Flaw]:
    told = policy.changes
    if told and told.remind_every and "e-mail" not in told.told_by:
        message = f"people are reminded every {told.remind_every}, and `told by` has no way to remind them: nobody is."
        yield Flaw(("changes", "remind every"), message, "Add `e-mail` to `told by`.")


@changes
def new_purpose_nobody_hears_of(policy: Policy, context: Context) -> Iterator[Flaw]:
    told = policy.changes
    if context.european and told and told.significant_means and "purposes" not in told.significant_means:
        message = "a new purpose is not called significant, although people must hear of it before it begins."
        yield Flaw(("changes", "significant means"), message, "Add `purposes`.", about="purposes")


@operator
def operator_out_of_reach(policy: Policy, context: Context) -> Iterator[Flaw]:
    who = policy.operator
    if not who.name:
        yield Flaw(("operator", "name"), "nothing says who is responsible for the data.", "Write the legal name.")
    if not who.email or "@" not in who.email.strip("@"):
        message = "the e-mail address has no `@`." if who.email else "there is no e-mail address to write to."
        yield Flaw(("operator", "email"), message, "Write `email:` with the address people should use.")
    if not who.address:
        yield Flaw(("operator", "address"), "there is no postal address.", "Write `address:`.", "warning")
    if not who.country and context.profiles:
        message = "nothing says in which country the operator is, on which the authority and all transfers depend."
        yield Flaw(("operator", "country"), message, "Write `country: IE`, or another.", "warning")
    if who.also_named:
        names = " and ".join([who.name or "?", *who.also_named])
        message = f"the operator goes by several names: {names}."
        yield Flaw(("operator", "also named"), message, "Use the registered name throughout.", "warning")


@operator
def authority_unknown(policy: Policy, context: Context) -> Iterator[Flaw]:
    who = policy.operator
    several = context.under("eu-gdpr") and has_several_authorities(who.country)
    if several and not who.authority:
        message = f"{who.country} has several authorities, and nothing says which one is the operator's."
        yield Flaw(
            ("operator", "authority"), message, "Write `authority: DE-BY`, or another.", "warning", about="complaint"
        )


@operator
def representative_missing(policy: Policy, context: Context) -> Iterator[Flaw]:
    who = policy.operator
    laws = [law for law in context.profiles if law.id in ("eu-gdpr", "uk-gdpr") and _from_abroad(law, policy)]
    if laws and not who.representative:
        where = " and ".join("the EU" if law.id == "eu-gdpr" else "the UK" for law in laws)
        message = f"the operator is in {who.country}, and names no representative in {where} (Art. 27)."
        yield Flaw(("operator", "representative"), message, "Write `representative:`.", "warning")


def _from_abroad(law: Profile, policy: Policy) -> bool:
    return policy.operator.country is not None and policy.operator.country not in law.home


@breach
def breach_nobody_hears_of(policy: Policy, context: Context) -> Iterator[Flaw]:
    watches = {key: measure for key, measure in policy.security.items() if measure.check == "breach watch"}
    if not watches:
        message = "nothing says how a breach is noticed and who is told of it."
        yield Flaw(("security",), message, "Write a measure with `check: breach watch` and whom it `tells`.")
    elif context.european and len(watches) == len(policy.security):
        message = "nothing says how data is protected before there is a breach."
        yield Flaw(
            ("security",), message, "Write the measures, such as one with `check: tls` and one with `check: sealed`."
        )
    for key, measure in watches.items():
        silent = [who for who in ("authority", "people") if who not in measure.tells]
        if silent:
            named = " and ".join(
                {"authority": "the authority", "people": "the people concerned"}[who] for who in silent
            )
            message = f"`{key}` notices a breach, but nothing says that {named} will hear of it."
            yield Flaw(("security", key), message, "Write `tells: [authority, people]`.")


@breach
def security_in_vague_words(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, measure in policy.security.items():
        path, words = ("security", key), " ".join(measure.measure.root.values())
        if vague := measure.vague or ((found := _VAGUE.search(words)) and found[0]):
            yield Flaw(path, f"“{vague}” names no measure.", "Name what is done, and what it is checked by.")
        if found := _OBSOLETE.search(words):
            yield Flaw(path, f"{found[0]} is obsolete.", "Write TLS 1.2 or later, or what is used today.")
        if measure.check == "attested" and not measure.attested_by:
            yield Flaw(path, f"nobody on the staff answers for `{key}`.", "Write `attested by:`.")
        if measure.review_by and context.today and measure.review_by < context.today:
            message = f"`{key}` was to be looked at again by {measure.review_by.isoformat()}."
            yield Flaw(path, message, "Review it, and write the next day.")


@version
def version_or_day_missing(policy: Policy, context: Context) -> Iterator[Flaw]:
    if policy.policy.effective is None:
        message = "nothing says since when the policy is in effect."
        yield Flaw(("policy", "effective"), message, "Write `effective:` and the day.")
    header = context.document.tree.get("policy")
    if not isinstance(header, Mapping) or "version" not in header:
        yield Flaw(("policy", "version"), "the policy has no version number.", "Write `version: 1`.")


_TOPICS = {
    "who": ("operator",),
    "what": ("data", "collection", "visits"),
    "why": ("purposes",),
    "with whom": ("recipients",),
    "where": ("transfers",),
    "how long": ("retention", "erasure"),
    "choices": ("rights",),
    "security": ("security",),
    "changes": ("changes",),
    "contact": ("operator",),
}


@answers
def answer_without_content(policy: Policy, context: Context) -> Iterator[Flaw]:
    for number, answer in enumerate(policy.policy.answers):
        path = ("policy", "answers", str(number))
        question = answer.question.say("en")
        if not answer.holds:
            yield Flaw(path, f"“{question}” is promised an answer, and nothing answers it.", "Write `holds:`.")
        for word in answer.holds:
            if not _has_content(policy, word):
                message = f"“{question}” is answered by `{word}`, and that is empty."
                yield Flaw(path, message, f"Write `{word}`, or do not promise the answer.")


def _has_content(policy: Policy, word: str) -> bool:
    stated = any(statement.about == word for statement in policy.statements.values())
    sections = _TOPICS.get(word, (word.partition(".")[0],))
    return stated or any(_written(policy, section) for section in sections)


def _written(policy: Policy, section: str) -> bool:
    if section == "operator":
        return bool(policy.operator.name or policy.operator.email)
    return bool(getattr(policy, section.replace(" ", "_"), None))
