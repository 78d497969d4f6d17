"""Who else gets the data and where it goes: recipients nobody named, and countries without protection."""

from __future__ import annotations

from collections.abc import Iterator

from troth.policy.law import Profile, adequate
from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.model import Policy, Recipient

unnamed = rule(
    "E-18",
    "A recipient is unnamed or its lines are open",
    "warning",
    "Without data, purposes or `consideration: none` it is given nothing.",
)
unprotected = rule(
    "E-21", "A transfer without a country or a safeguard", "error", "The transfer is refused until both are there."
)
_NOT_ABROAD = ("authority", "public")
_SIGNED = ("standard clauses", "binding corporate rules")
_GETS_BY_CASE = ("authority", "advertiser")


@unnamed
def recipient_without_a_name(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, recipient in policy.recipients.items():
        missing = list(_missing(policy, recipient))
        if missing:
            message = f"`{key}` does not say {', '.join(missing)}."
            yield Flaw(("recipients", key), message, _how_to_name(recipient))


def _how_to_name(recipient: Recipient) -> str:
    """An unnamed recipient is given data all the same, when everything else is written."""
    if recipient.receives and recipient.for_ and recipient.consideration == "none":
        return "Name it: until then people cannot know who has their data."
    return "Name it and its limits; until then it is given nothing."


def _missing(policy: Policy, recipient: Recipient) -> Iterator[str]:
    if recipient.name is None and recipient.role not in _NOT_ABROAD:
        yield "who it is"
    if not recipient.receives and not recipient.receives_aggregates and recipient.role not in _GETS_BY_CASE:
        yield "what it receives"
    if recipient.receives and not recipient.for_ and recipient.ground not in ("law", "legal claim"):
        yield "for which purposes"
    if recipient.receives and recipient.consideration == "not stated":
        yield "what is given in return"


@unnamed
def advertiser_without_a_policy(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, recipient in policy.recipients.items():
        if recipient.role == "advertiser" and not recipient.policy_url:
            message = f"the advertiser `{key}` has no policy of its own to link to."
            yield Flaw(("recipients", key), message, "Write `policy url:`.", "error")


@unnamed
def import_from_nobody(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, point in policy.collection.items():
        if point.kind == "import" and not point.partners:
            message = f"`{key}` takes data from others, but names no partner that may supply it."
            yield Flaw(("collection", key), message, "Name each under `partners`.")


@unprotected
def recipient_abroad(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, recipient in policy.recipients.items():
        if not recipient.receives or recipient.role in _NOT_ABROAD:
            continue
        path = ("recipients", key)
        if recipient.country is None:
            yield Flaw(
                path, f"nothing says in which country `{key}` keeps the data.", "Write `country: US`, or another."
            )
        elif recipient.safeguard is None and _is_abroad(policy, context, recipient.country):
            message = f"`{key}` keeps data in {recipient.country}, and no safeguard protects it there."
            yield Flaw(path, message, "Write `safeguard: {kind: standard clauses, document: ...}`.")


@unprotected
def transfer_kept_up_without_a_reason(policy: Policy, context: Context) -> Iterator[Flaw]:
    """Where people may object to what is not essential, whatever is called essential says why."""
    if policy.transfers is None or not policy.transfers.objection:
        return
    for key, recipient in policy.recipients.items():
        if (
            recipient.receives
            and recipient.essential
            and not recipient.why_essential
            and recipient.role not in _NOT_ABROAD
        ):
            message = f"`{key}` is called essential, so that an objection does not stop it, and nothing says why."
            yield Flaw(
                ("recipients", key, "why essential"), message, "Write `why essential:`, or `essential: false`.", "error"
            )


@unprotected
def safeguard_that_does_not_hold(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, recipient in policy.recipients.items():
        guard, path = recipient.safeguard, ("recipients", key)
        if guard is None:
            continue
        if guard.until and context.today and guard.until < context.today:
            message = f"the safeguard of `{key}` ended on {guard.until.isoformat()}."
            yield Flaw(path, message, "Renew it, or let the recipient go.", "error")
        if guard.kind == "adequacy" and recipient.country and not _may_be_adequate(context, recipient.country):
            message = f"{recipient.country} has no adequate protection by decision, so `adequacy` protects nothing."
            yield Flaw(path, message, "Write another kind of safeguard.", "error")


@unprotected
def safeguard_without_a_document(policy: Policy, context: Context) -> Iterator[Flaw]:
    for key, recipient in policy.recipients.items():
        guard, path = recipient.safeguard, ("recipients", key, "safeguard")
        if guard is None or not recipient.receives:
            continue
        if guard.kind in _SIGNED and not guard.document:
            message = f"the {guard.kind} that protect data at `{key}` name no document."
            yield Flaw(path, message, "Write `document:` and its reference; until then nothing is given.")
        if guard.kind == "adequacy" and not guard.document and (part := _partly(context, recipient.country)):
            message = f"{recipient.country} is adequate for some only ({part}), and nothing shows that `{key}` is one."
            yield Flaw(path, message, "Write `document:` and the certification.")
        if guard.kind == "explicit consent" and not recipient.consent and recipient.ground != "consent":
            message = f"the transfer to `{key}` rests on explicit consent, and nobody is asked for it."
            yield Flaw(path, message, "Write `consent: itself` and offer it, or another safeguard.", about="derogation")


def _partly(context: Context, country: str | None) -> str:
    lists = [known for law in context.profiles if (known := adequate(law.id))]
    return next((known.partly[country] for known in lists if country and country in known.partly), "")


@unprotected
def country_that_the_policy_rules_out(policy: Policy, context: Context) -> Iterator[Flaw]:
    transfers = policy.transfers
    if transfers is None or not (transfers.stored_in or transfers.may_move_to):
        return
    named = (*transfers.stored_in, *transfers.may_move_to)
    for key, recipient in policy.recipients.items():
        given = recipient.receives and recipient.role not in _NOT_ABROAD
        if given and recipient.country and recipient.country not in named:
            message = f"`{key}` keeps data in {recipient.country}; the policy says it stays in {', '.join(named)}."
            yield Flaw(("recipients", key, "country"), message, f"Add {recipient.country} to `transfers.may move to`.")


@unprotected
def safeguard_of_another_kind(policy: Policy, context: Context) -> Iterator[Flaw]:
    promised = policy.transfers.safeguards if policy.transfers else ()
    for key, recipient in policy.recipients.items() if promised else ():
        if recipient.receives and recipient.safeguard and recipient.safeguard.kind not in promised:
            message = f"`{key}` is protected by {recipient.safeguard.kind}; promised is {', '.join(promised)}."
            yield Flaw(("recipients", key, "safeguard"), message, "Name it under `transfers.safeguards`.", "warning")


@unprotected
def kept_by_somebody_not_named(policy: Policy, context: Context) -> Iterator[Flaw]:
    transfers = policy.transfers
    for key, recipient in policy.recipients.items() if transfers and transfers.held_by else ():
        assert transfers is not None
        abroad = (
            recipient.country and recipient.country not in transfers.stored_in and recipient.role not in _NOT_ABROAD
        )
        if recipient.receives and abroad and key not in transfers.held_by:
            message = f"`{key}` keeps data in {recipient.country}, and `held by` does not name it, so that it is given nothing."
            yield Flaw(("transfers", "held by"), message, f"Add `{key}`, or let the recipient go.")


@unprotected
def stored_abroad(policy: Policy, context: Context) -> Iterator[Flaw]:
    transfers = policy.transfers
    if transfers is None or transfers.safeguards:
        return
    at_home = [law for law in context.profiles if policy.operator.country in law.home]
    away = [country for country in transfers.stored_in if any(_leaves(law, country) for law in at_home)]
    if away:
        message = (
            f"the stores are in {', '.join(away)}, outside the law of {policy.operator.country}, without a safeguard."
        )
        yield Flaw(("transfers", "stored in"), message, "Write `safeguards: [standard clauses]`, or store it at home.")


@unprotected
def movement_without_a_safeguard(policy: Policy, context: Context) -> Iterator[Flaw]:
    transfers = policy.transfers
    if transfers is None or transfers.safeguards:
        return
    if transfers.may_move_to or (transfers.agreed_by_use and not transfers.stored_in):
        where = ", ".join(transfers.may_move_to) or "countries not named"
        message = f"data may move to {where}, and no kind of safeguard is promised."
        yield Flaw(("transfers",), message, "Write `safeguards: [standard clauses]`, or what there is.")


def _is_abroad(policy: Policy, context: Context, country: str) -> bool:
    """Whether data in ``country`` leaves the protection of one of the laws, or, without a law, the operator's country."""
    if not context.profiles:
        return policy.operator.country is not None and country != policy.operator.country
    return any(_leaves(law, country) for law in context.profiles)


def _leaves(law: Profile, country: str) -> bool:
    known = adequate(law.id)
    return known is not None and country not in law.home and country not in known.countries


def _may_be_adequate(context: Context, country: str) -> bool:
    lists = [known for law in context.profiles if (known := adequate(law.id))]
    return not lists or all(country in (*known.countries, *known.partly) for known in lists)
