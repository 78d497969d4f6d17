"""What happened, what went wrong and what a draft would change, in sentences that can be read aloud. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from troth.policy.compile import Compiled
from troth.policy.model import Policy
from troth.policy.notice import notice
from troth.policy.notice.language import Speaker, language
from troth.rehearsal.compare import Comparison, Flip, Moved
from troth.rehearsal.events import Act, Event
from troth.rehearsal.notes import GIVING, Result, What
from troth.rehearsal.result import Rehearsal, Violation

_STATES = {
    "given": "Agreeing to",
    "withdrawn": "Withdrawing the consent to",
    "objected": "Objecting to",
    "lifted": "Taking back the objection to",
}
_PLAIN = {
    "visits": "Visiting the site",
    "order": "Opening an order or another case",
    "close": "Closing a case",
    "notice": "Saying that business is over",
    "erase": "Asking to be forgotten",
    "amend": "Publishing an amendment",
    "jump": "A clock that is wrong",
}
_DID: Mapping[Act, str] = {
    "visits": "{visits} to the site",
    "submit": "{who} fills in {point}",
    "import": "{recipient} supplies {who}'s data at {point}",
    "choose": "{who}: {choosing}",
    "order": "{who} opens {kinds}",
    "close": "{who}'s {kinds} is closed",
    "notice": "{who} says that business is over",
    "read": "staff{role} read {many} for {purpose}",
    "disclose": "{many} is to go to {recipient} for {purpose}",
    "erase": "{who} asks to be forgotten",
    "amend": "an amendment is published ({changed})",
    "hostile": "{point} is sent what it must not take ({how})",
    "jump": "the clock is wrong by {hours} hours for the rest of the day",
}
_TURNS: Mapping[tuple[Result, Result], str] = {
    ("done", "refused"): "would be refused {n} of {of} times where it is allowed now",
    ("refused", "done"): "would be allowed {n} of {of} times where it is refused now",
}
WRONG = {
    "promise": "a promise is broken",
    "lost": "something was lost",
    "outlived": "something outlived its time",
    "taken in": "something was taken in that the policy does not allow",
    "let out": "data was let out",
    "refused": "something was refused that the policy allows",
    "ledger": "the ledger does not fit what was done",
    "alarm": "Troth gave an alarm",
    "failed": "something failed",
}


_NOUNS: Mapping[Act, str] = {
    "visits": "visits",
    "submit": "forms filled in",
    "import": "records supplied by partners",
    "choose": "choices",
    "order": "orders and other cases opened",
    "close": "cases closed",
    "notice": "people who said that business is over",
    "read": "people's data read",
    "disclose": "disclosures",
    "erase": "erasures asked for",
    "amend": "amendments of the policy",
    "hostile": "hostile or broken submissions",
    "jump": "wrong clocks",
}
_CAME: Mapping[str, str] = {"done": "", "refused": ", refused", "passed over": ", but nobody was there"}


def plural(number: int, one: str, many: str = "") -> str:
    """``1 day``, ``2,000 days``."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


@dataclass(frozen=True)
class Names:
    """What the entries of a policy are called; of a draft too, where there is one, for what only that has."""

    policy: Policy
    draft: Policy | None = None

    def point(self, key: str) -> str:
        """The label of a collection point in quotes; its id when no policy has it."""
        for policy in self._both():
            if key in policy.collection:
                return f"“{_speaker(policy).text(policy.collection[key].label)}”"
        return f"`{key}`"

    def purpose(self, key: str) -> str:
        """The label of a purpose in quotes."""
        for policy in self._both():
            if key in policy.purposes:
                return f"“{_speaker(policy).text(policy.purposes[key].label)}”"
        return f"`{key}`"

    def recipient(self, key: str) -> str:
        """The name of a recipient."""
        for policy in self._both():
            if key in policy.recipients:
                return _speaker(policy).recipient(key)
        return f"`{key}`"

    def data(self, fields: Sequence[str]) -> str:
        """``full name, e-mail address and 3 more``."""
        speaker = _speaker(self.policy)
        labels = [speaker.label(key) for key in fields]
        return speaker.every([*labels[:3], f"{len(labels) - 3} more"] if len(labels) > 4 else labels)

    def _both(self) -> Iterator[Policy]:
        yield self.policy
        if self.draft is not None:
            yield self.draft


def _speaker(policy: Policy) -> Speaker:
    return Speaker(policy, language("en"))


# --- events and violations -------------------------------------------------------------------------------------------


def event_line(event: Event, names: Names) -> str:
    """``day 12, 09:36: person 17 fills in “Open an account”``."""
    at = timedelta(minutes=round(event.part * 24 * 60))
    clock = f"{at // timedelta(hours=1):02}:{at // timedelta(minutes=1) % 60:02}"
    return f"day {event.day}, {clock}: {_did(event, names)}"


def _did(event: Event, names: Names) -> str:
    who, details = f"person {event.who}" if event.who is not None else "somebody", event.details
    many = f"{who}'s data" if event.who is not None else f"the data of {plural(event.count, 'person', 'people')}"
    return _DID[event.act].format(
        who=who,
        many=many,
        visits=plural(event.count, "visit"),
        point=names.point(event.what),
        purpose=names.purpose(details.get("purpose", event.what)),
        recipient=names.recipient(details.get("partner", event.what)),
        role=f" in the role {details['role']}" if details.get("role") else "",
        choosing=_choosing(event.what, details.get("state", ""), names).lower(),
        kinds=details.get("kinds", "a case"),
        how=details.get("how", "unknown"),
        hours=details.get("hours", "0"),
        changed=", ".join(f"{path}: {value}" for path, value in details.items()) or "nothing changed",
    )


def _choosing(what: str, state: str, names: Names) -> str:
    scope = names.recipient(what[1:]) if what.startswith("@") else names.purpose(what)
    return f"{_STATES.get(state, f'Choosing {state} for')} {scope}"


def happened_words(happened: Mapping[str, int]) -> dict[str, int]:
    """What happened, by words instead of acts and outcomes; what is no act keeps its name."""
    words = {f"{act}: {came}": f"{noun}{rest}" for act, noun in _NOUNS.items() for came, rest in _CAME.items()}
    acts = {words[key]: happened[key] for key in words if key in happened}
    return {**acts, **{key: number for key, number in happened.items() if key not in words}}


def violation_line(found: Violation) -> str:
    """``Day 63 (4 March 2027): data was let out (recipients.mailchimp). What exactly.``"""
    about = f" ({found.about})" if found.about else ""
    return f"Day {found.day} ({found.at:%-d %B %Y}): {WRONG[found.kind]}{about}. {found.says}"


def answer(life: Rehearsal) -> str:
    """The whole outcome in a sentence or two, which is what a reader came for."""
    lived = (
        f"{plural(len(life.days), 'day')} with {plural(life.people, 'person', 'people')}"
        f" and {plural(life.events, 'event')} on {_store(life.store)}"
    )
    if not life.violations:
        held = "nothing was lost, nothing was let out and nothing outlived its time"
        return f"Every promise held through {lived}: {held}."
    first = life.violations[0]
    counted = plural(len({(one.kind, one.about) for one in life.violations}), "thing")
    return f"{counted} went wrong in {lived}. First, on day {first.day}, {WRONG[first.kind]} ({first.about})."


def _store(kind: str) -> str:
    return {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(kind, kind)


# --- what a draft would change ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """What a draft would change, in sentences, by topic; a topic without any is left out."""

    answer: str
    topics: Mapping[str, tuple[str, ...]]
    because: Mapping[str, str] = field(default_factory=dict)
    """the lines of the draft that decide, by id: where each stands, and how the notice says it"""


def differences(found: Comparison, draft: Compiled, names: Names) -> Said:
    """``found`` in words."""
    topics = {
        "What goes earlier": tuple(_moved(one, names) for one in found.moved if one.direction == "earlier"),
        "What stays longer": tuple(_moved(one, names) for one in found.moved if one.direction == "later"),
        "What is held": tuple(_held(found)),
        "Decisions that come out otherwise": (*_flips(found, names), *_nobody(found)),
        "Promises that are proven otherwise": tuple(
            f"“{one.sentence}” ({one.promise}): {one.before or 'not promised'} now, {one.after} under the draft."
            for one in found.verdicts
        ),
        "Where data comes in": tuple(_points(found, names)),
    }
    return Said(_answer(found), {topic: lines for topic, lines in topics.items() if lines}, _because(found, draft))


def _answer(found: Comparison) -> str:
    old, new = found.versions
    numbers = f"Version {new} of the policy" if new != old else "The draft"
    if found.same:
        return f"{numbers} would have changed nothing in this life."
    earlier = sum(one.holdings for one in found.moved if one.direction == "earlier")
    later = sum(one.holdings for one in found.moved if one.direction == "later")
    refused = sum(one.count for one in found.flips if (one.before, one.after) == ("done", "refused"))
    allowed = sum(one.count for one in found.flips if (one.before, one.after) == ("refused", "done"))
    parts = [
        f"something of {plural(earlier, 'record')} would have gone earlier" if earlier else "",
        f"something of {plural(later, 'record')} would have stayed longer" if later else "",
        f"{plural(refused, 'act')} would have been refused that {'was' if refused == 1 else 'were'} allowed"
        if refused
        else "",
        f"{plural(allowed, 'act')} would have been allowed that {'was' if allowed == 1 else 'were'} refused"
        if allowed
        else "",
    ]
    said = [part for part in parts if part] or ["little would have come out otherwise"]
    listed = f"{', '.join(said[:-1])} and {said[-1]}" if said[1:] else said[0]
    return f"Under {numbers[0].lower()}{numbers[1:]}, in the same life, {listed}."


def _moved(one: Moved, names: Names) -> str:
    which = f"{names.data(one.fields)} of {one.holdings:,} of {plural(one.of, 'record')}"
    still = "" if not one.still else " For all of them" if one.still == one.holdings else f" For {one.still:,} of them"
    ends = f"{still} the rehearsal ends before the later of the two days, so it is at least that." if still else ""
    return f"{names.point(one.point)}: {which}, {one.direction} by {_span(one)}.{ends}"


def _span(one: Moved) -> str:
    least, middle, most = (round(days) for days in (one.least, one.middle, one.most))
    return plural(most, "day") if least == most else f"{plural(middle, 'day')} typically, from {least:,} to {most:,}"


def _held(found: Comparison) -> Iterator[str]:
    now, then = found.visits
    if now != then:
        yield f"At most {plural(then, 'visit')} would be kept at one time; now it is {now:,}."
    if found.last is not None:
        before, after = (sum(day.held.values()) for day in found.last)
        if before != after:
            yield f"At the end {plural(after, 'record')} would be held; now it is {before:,}."


def subject(what: What, names: Names) -> str:
    """``Handing data to Mail Chimp for “sending you offers”``."""
    act, about, rest = what
    match act:
        case "submit" | "import":
            return f"{'Filling in' if act == 'submit' else 'Supplying data at'} {names.point(about)}"
        case "read":
            return f"Reading data for {names.purpose(about)}"
        case "disclose":
            return f"Handing data to {names.recipient(about)} for {names.purpose(rest)}"
        case "choose":
            return _choosing(about, rest, names)
        case "hostile":
            return f"Sending what it must not take to {names.point(about)}"
        case _:
            return _PLAIN[act]


def _flips(found: Comparison, names: Names) -> Iterator[str]:
    """What is allowed now and refused then, or the other way round; the most frequent first."""
    for one in found.flips:
        turn = _TURNS.get((one.before, one.after))
        if turn:
            times = turn.format(n=f"{one.count:,}", of=f"{one.of:,}")
            yield f"{subject(one.what, names)} {times}{_reason(one, names)}."


def _nobody(found: Comparison) -> Iterator[str]:
    """All that only follows from somebody being gone, or still there, in one sentence each."""
    gone = sum(one.count for one in found.flips if one.after == "passed over")
    there = sum(one.count for one in found.flips if one.before == "passed over")
    if gone:
        yield f"{plural(gone, 'other act')} would find nobody any more, since the person is gone by then or never came."
    if there:
        yield f"{plural(there, 'other act')} would still find somebody where nobody is there now."


def _reason(one: Flip, names: Names) -> str:
    act, what, _ = one.what
    lines = ", ".join(f"`{line}`" for line in one.because)
    if one.after == "done":
        return f", by {lines}" if lines else ""
    if act in GIVING and names.draft is not None and what not in names.draft.collection:
        return ", since the draft has no such form"
    return f", because of {lines}" if lines else ", because no line of the draft allows it"


def _because(found: Comparison, draft: Compiled) -> dict[str, str]:
    """Where each line stands that decided, and its sentence in the notice of the draft."""
    sentences = {item.promise_id: item.sentence for item in notice(draft, "en").items}
    lines = dict.fromkeys(line for flip in found.flips for line in flip.because if (flip.before, flip.after) in _TURNS)
    return {
        line: f"{draft.by_id[line].place}: {sentences.get(line, '')}".rstrip(": ")
        for line in lines
        if line in draft.by_id
    }


def _points(found: Comparison, names: Names) -> Iterator[str]:
    for key in found.new_points:
        yield f"{names.point(key)} is new; nobody filled it in here, since the life is that of the published policy."
    for key in found.gone_points:
        yield f"{names.point(key)} is gone; what was sent to it was refused."


# --- small words -----------------------------------------------------------------------------------------------------


def day_words(at: str) -> str:
    """The day of an instant in RFC 3339: ``4 March 2027``."""
    return f"{datetime.fromisoformat(at):%-d %B %Y}"


def seconds_words(seconds: float) -> str:
    """``0.4 s``, ``42 s`` or ``1 min 31 s``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
