"""What shows that a measure of security is taken: for each word of ``check`` evidence that bears on it, and no other.

A sentence may say more than its check can show ("by our employees only": no program knows who is employed). Then somebody on
the staff answers for the rest, and the sentence is at most attested.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import func, select

from troth import ledger
from troth.accounts.profile import account_point
from troth.accounts.sessions import log_in as member_logs_in
from troth.accounts.tables import account
from troth.bindings import REPLAYED, WALKED, Rests, proves
from troth.clock import AHEAD, of_late
from troth.evidence.walked import walked
from troth.ledger import events
from troth.ledger.tables import entry
from troth.ledger.verify import Verified, verify_on
from troth.logins.passwords import WIRED
from troth.people import vault
from troth.people.proofs import OF_SEALED, only_the_vault, sealed, vault_refuses
from troth.policy.acts import OPENS
from troth.policy.assurances import Measure
from troth.policy.promises import Promise
from troth.policy.undeclared import without_a_purpose
from troth.proof import Proof, Proving, Some, Tried, Words
from troth.recipients.proofs import gate_refuses, only_the_gate
from troth.reconcile.watch import look_again
from troth.restoring.drill import last_drill
from troth.retention import heartbeat
from troth.staff.entering import log_in
from troth.staff.proofs import logins
from troth.staff.tables import staff

WATCHED_WITHIN = 2 * heartbeat.SWEEP_EVERY
"""how long ago the worker may have been there last"""
SEALED_WITHIN = 2 * heartbeat.EXPECTED[heartbeat.SEAL]
"""how long an entry of the ledger may wait to be sealed: the worker missed two turns"""
BACKED_UP_WITHIN, TRIED_WITHIN = timedelta(days=2), timedelta(days=180)
"""how old the last backup, and the last trial of one, may be"""


_STAFF = dict.fromkeys(("staff", "staff_session", "staff_recovery", "staff_attempt"), "")
"""by which staff are let in"""
_MEMBERS = dict.fromkeys(
    ("account", "session", "once", "attempt", "half_log_in", "spent", "second_factor", "recovery_code", "passkey"), ""
)
"""by which a member is let in"""
_RESTS: Mapping[str, Rests] = {
    "sealed": OF_SEALED,
    "audit": {"ledger_entry": "", "ledger_checkpoint": "", "ledger_head": "", "restoration": ""},
    "login log": {**REPLAYED, **_STAFF, "staff_log": ""},
    "password": {**WALKED, **_STAFF, **_MEMBERS},
    "access": {**REPLAYED, **_STAFF, "program_token": "", "act_key": ""},
    "breach watch": {"ledger_entry": "", "heartbeat": "", "alarm": ""},
    "backup": {"ledger_entry": "", "restoration": ""},
    "tls": WALKED,
    "headers": WALKED,
}
"""by the word of ``check``; what somebody answers for rests on no row"""


def _of_measure(entry_: Measure) -> Rests:
    return _RESTS.get(entry_.check, {})


@proves(
    "security.measure",
    covers=("check", "attested by", "for"),
    enforced_by=(vault.hold, vault.read, ledger.append, log_in, member_logs_in, look_again),
    rests_on=_of_measure,
)
def measure(proving: Proving, promise: Promise) -> Proof:
    """What can be looked at is looked at; for the rest a named member of staff answers until a day."""
    entry_ = proving.compiled.policy.security[promise.path[1]]
    if entry_.check == "attested":
        return _attested(proving, promise.path[1])
    found = _access(proving) if entry_.check == "access" else _CHECKS[entry_.check](proving, promise, entry_)
    if found.verdict == "not proven" and promise.path[1] in proving.site.wiring.attested:
        return _attested(proving, promise.path[1])
    if not entry_.attested_by or found.verdict == "broken":
        return found
    answered = _attested(proving, promise.path[1])
    both = proving.say("{one}; {two}", one=answered.measured, two=found.measured)
    return replace(answered, measured=both)


def _sealed(proving: Proving, promise: Promise, _measure: Measure) -> Proof:
    return sealed(proving, promise)


def _log_ins(proving: Proving, _promise: Promise, _measure: Measure) -> Proof:
    return logins(proving)


def _probed(proving: Proving, promise: Promise, entry_: Measure) -> Proof:
    limit = proving.say(_SAID_PROBED[entry_.check])
    unseen = proving.not_proven(
        "canary", limit, "nobody looked lately", "the operator's next full check looks (troth prove)"
    )
    if entry_.check == "tls" and not proving.site.wiring.base_url.startswith("https:"):
        unseen = proving.not_proven(
            "canary", limit, "it cannot be looked at", "the site has no https address (base url in site.yaml)"
        )
    return walked(proving, promise.id, limit) or unseen


_SAID_PROBED = {
    "tls": "the address of the site offers TLS with a certificate to be trusted",
    "headers": "pages load nothing foreign, are framed by nobody and tell nobody who reads",
}


def _access(proving: Proving) -> Proof:
    """Each opening of real people's data was for a promised purpose, by somebody on the ledger; and no way round that."""
    limit = proving.say("opened only for a promised purpose, and by staff only with two factors")
    checks = rules_refuse, vault_refuses, only_the_vault, gate_refuses, only_the_gate
    built, found = proving.constructed(limit, *checks), proving.replay("act:read")
    if built.verdict == "broken":
        return built
    for act in sorted(OPENS):
        if (opened := proving.replay(f"act:{act}")).wrong:
            return proving.replayed(opened, limit)
    there = Some(proving.conn.scalar(select(func.count()).select_from(staff).where(_OPEN)) or 0, "member of staff")
    weak = proving.conn.scalar(select(func.count()).select_from(staff).where(_OPEN, staff.c.totp.is_(None))) or 0
    if weak:
        return proving.counted(weak, there, limit, "{wrong} without a second factor")
    stray = _stray(proving)
    if stray:
        return proving.counted(
            stray,
            Some(found.allowed, "opening of data"),
            limit,
            "{wrong} by nobody named",
        )
    if not found.allowed:
        return proving.nothing_yet("replay", limit, "nobody's data was opened so far")
    by_staff = sum(number for (who, _), number in proving.heard.readers.items() if who == "staff")
    measured = proving.say(
        "{all}, of which staff made {staff}, each for a promised purpose",
        all=Some(found.allowed, "opening of data"),
        staff=by_staff,
    )
    evidence = proving.both(
        proving.say("{there}, each with a second factor", there=there),
        proving.say("each checked again against the policy of its day"),
    )
    return Proof("kept", "replay", limit, measured, evidence)


_OPEN = staff.c.state == "open"


def rules_refuse(proving: Proving) -> Tried:
    """The rules that decide, asked for every act and field for a purpose that nobody promised."""
    asks = list(without_a_purpose(proving.compiled))
    allowed = sum(proving.compiled.decide(ask).allowed for ask in asks)
    tried = proving.say("the rules refused {tries} without a promised purpose", tries=Some(len(asks) - allowed, "try"))
    return proving.tried(tried, allowed, "{wrong} without a promised purpose went through")


def _stray(proving: Proving) -> int:
    """Openings of which the ledger does not say by whom; each was asked again under the rules."""
    readers: Mapping[tuple[str, str], int] = proving.heard.readers
    return sum(number for (who, _), number in readers.items() if not who)


def _password(proving: Proving, promise: Promise, _measure: Measure) -> Proof:
    """The log-in was tried with a wrong, a common and the right password; and what is kept of passwords is hashes alone."""
    limit = proving.say("no account opens without its password, and no password is kept")
    if account_point(proving.compiled) is None:
        return proving.nothing_yet("query", limit, "nobody can open an account")
    kept = [
        proving.conn.scalars(select(one.c.password).where(one.c.password.is_not(None))).all()
        for one in (account, staff)
    ]
    hashes = [one for rows in kept for one in rows]
    plain = sum(not one.startswith(WIRED) for one in hashes)
    if plain:
        return proving.counted(
            plain, Some(len(hashes), "password"), limit, "{wrong} kept otherwise than as an Argon2id hash"
        )
    found = walked(proving, promise.id, limit)
    if found is None:
        return proving.not_proven(
            "canary", limit, "nobody tried the log-in lately", "the operator's next full check looks (troth prove)"
        )
    if found.verdict == "broken":
        return found
    done = proving.say("wrong, common and guessed passwords refused, the right one taken")
    hashed = proving.say("{all} kept, each as an Argon2id hash", all=Some(len(hashes), "password"))
    return replace(found, measured=proving.both(done, hashed))


_WATCH = heartbeat.STORES
"""the task of the worker that looks at the stores once a day, and does not come to its end when it cannot"""


def _watched(proving: Proving, _promise: Promise, _measure: Measure) -> Proof:
    """The worker looks every day whether the stores are as Troth wrote them, and it came to the end of that of late."""
    limit = proving.say("the stores are looked at every day for what was changed past Troth")
    last = heartbeat.last(proving.conn).get(_WATCH)
    if last is None:
        return proving.not_proven("query", limit, "nobody has looked so far", "the worker has not run")
    age = proving.now - last
    found = Some(proving.heard.events.get(events.ALARM_RAISED, 0), "alarm")
    measured, evidence = proving.say("last looked {age} ago", age=age), proving.say("{all} raised so far", all=found)
    return Proof("kept" if of_late(last, proving.now, WATCHED_WITHIN) else "broken", "query", limit, measured, evidence)


def _backed_up(proving: Proving, _promise: Promise, _measure: Measure) -> Proof:
    """Backups are made with Troth, and the last one that was tried was whole; others' backups somebody answers for."""
    limit = proving.say("a backup made in the last days, and one tried that was whole")
    past = entry.c.at <= proving.now + AHEAD
    made = proving.conn.scalar(select(func.max(entry.c.at)).where(entry.c.event == events.BACKUP_MADE, past))
    tried = last_drill(proving.conn, proving.now)
    if made is None or tried is None:
        missing = proving.say("none was made so far") if made is None else proving.say("none was tried so far")
        return Proof("not proven", "query", limit, missing, proving.say("the log of decisions"))
    at, found = tried
    ages = proving.say(
        "the last one made {made} ago, one tried {tried} ago", made=proving.now - made, tried=proving.now - at
    )
    if found.get("whole") is not True or found.get("unopened"):
        return Proof("broken", "query", limit, proving.say("the last one tried was not whole"), ages)
    recent = of_late(made, proving.now, BACKED_UP_WITHIN) and of_late(at, proving.now, TRIED_WITHIN)
    return Proof("kept" if recent else "broken", "query", limit, ages, proving.say("the log of decisions"))


def _audited(proving: Proving, _promise: Promise, _measure: Measure) -> Proof:
    found = proving.since(verified)
    limit = proving.say("every entry of the log of decisions protected, and none altered")
    evidence = _read(proving, found)
    if found.verdict == "broken":
        return Proof("broken", "query", limit, proving.say("{what}", what=found.line()), evidence)
    waits = proving.conn.scalar(select(func.min(entry.c.at)).where(entry.c.position.is_(None)))
    if waits is not None and proving.now - waits > SEALED_WITHIN:
        waiting = proving.say(
            "{open} not protected against change, the oldest for {age}",
            open=Some(found.unsealed, "entry"),
            age=proving.now - waits,
        )
        return Proof("broken", "query", limit, waiting, evidence)
    if not found.sealed:
        return proving.nothing_yet("query", limit, "no entry is protected against change so far")
    measured = proving.say(
        "{sealed} protected against change, {open} not yet", sealed=Some(found.sealed, "entry"), open=found.unsealed
    )
    return Proof("kept", "query", limit, measured, evidence)


def _read(proving: Proving, found: Verified) -> Words:
    """What was read of the ledger this time, and when the rest was."""
    if found.whole_at is None or found.whole_at >= proving.now:
        return proving.say("{all} read from the first to the last", all=Some(found.entries, "entry"))
    first, more = Some(found.then, "entry"), Some(max(0, found.entries - found.then), "entry")
    age = proving.now - found.whole_at
    return proving.say(
        "{first} read from the first to the last {age} ago, {more} since", first=first, more=more, age=age
    )


def verified(proving: Proving, before: Verified | None) -> Verified:
    """What was read and found whole before is not read again: what comes after must go on from its tree."""
    return verify_on(proving.site, before)


def _attested(proving: Proving, key: str) -> Proof:
    attestation = proving.site.wiring.attested.get(key)
    limit = proving.say("somebody answers for it")
    review_by = proving.compiled.policy.security[key].review_by
    if review_by is not None and review_by < proving.now.date():
        limit = proving.say("looked at again by {day}", day=review_by)
        return Proof("not proven", "attestation", limit, proving.say("the day has passed"), proving.say("the policy"))
    if attestation is None or not attestation.by.strip():
        nobody = proving.say("the operator's settings name nobody (`attested` in site.yaml)")
        return Proof("not proven", "attestation", limit, proving.say("nobody answers for it"), nobody)
    by = proving.say("it was {by}", by=attestation.by)
    if attestation.until < proving.now.date():
        return Proof("not proven", "attestation", limit, proving.say("ran out on {day}", day=attestation.until), by)
    until = proving.say("until {day}", day=attestation.until)
    return Proof("attested", "attestation", limit, until, proving.say("{by} answers for it", by=attestation.by))


_CHECKS: Mapping[str, Callable[[Proving, Promise, Measure], Proof]] = {
    "sealed": _sealed,
    "audit": _audited,
    "login log": _log_ins,
    "password": _password,
    "breach watch": _watched,
    "backup": _backed_up,
    "tls": _probed,
    "headers": _probed,
}
