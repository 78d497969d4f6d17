"""The sections of ``policy.yaml``: what each may hold, with the words that the reference and the editors show.

Every class is one section or one entry of it. Ids (keys of a mapping) are short words with underscores; keys of an entry
are written with spaces. What is left blank allows nothing.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from troth.policy.assurances import Absolute, LegalGround, Measure, Statement
from troth.policy.closed import EVERYTHING, Country, DataTerm, PurposeTerm, Refers, Url, Zone
from troth.policy.periods import Period
from troth.policy.vocabulary import (
    Authority,
    Basis,
    Begin,
    Case,
    Channel,
    DataRef,
    End,
    Flow,
    Happening,
    Happens,
    Id,
    KeptFor,
    Law,
    Limit,
    Opened,
    PeopleRef,
    PurposeRef,
    RecipientRef,
    Role,
    RoleRef,
    SafeguardKind,
    Special,
    Tag,
    ToldBy,
)
from troth.policy.words import Entry, Given, Noted, Section, Several, Shown, Text
from troth.policy.years import YearEnd


class Answer(Entry):
    """One question that the notice answers, and the topics or sections that answer it."""

    question: Text
    holds: Several[Annotated[str, Refers("topics", "sections", "entries")]] = Field(
        (),
        description="topics of the notice, sections or entries of the policy, such as `why`, `recipients` or `rights.access`",
    )


class Header(Entry):
    """``policy``: which version this is, from when it holds, in which languages and under which law."""

    version: int = Field(1, ge=1, description="counts up with every published change")
    effective: date | None = Field(None, description="the day the version takes effect, 00:00 UTC")
    languages: Several[Tag] = Field(("en",), description="languages of the notice")
    law: Several[Law] = Field((), description="law profiles to apply")
    covers: Several[Text] = Field((), description="the services, sites and dealings that this policy governs")
    flows: Several[Flow] = Field((), description="which ways data moves")
    governing_law: Text | None = Field(None, description="the law that governs the policy, if it says so")
    glossary: dict[Given, Text] = Field(default_factory=dict, description="what terms used in the policy mean")
    answers: tuple[Answer, ...] = Field((), description="the questions, in order, that the notice answers")


class Operator(Entry):
    """``operator``: the business that answers for the data."""

    name: Shown | None = Field(None, description="the legal name; two spellings are a finding")
    also_named: Several[Shown] = Field((), description="other names that the policy uses for the operator")
    country: Country | None = Field(None, description="ISO 3166-1 alpha-2")
    email: Shown | None = Field(None, description="where people write about their data")
    address: Shown | None = Field(None, description="postal address")
    representative: Shown | None = Field(None, description="representative in the EU or the UK, if one is named")
    time_zone: Zone | None = Field(
        None, description="where its days begin; the default is its country's only or main zone"
    )
    financial_year_ends: YearEnd | None = Field(
        None, description="the last day of its financial year, as `31 March`, for periods that count from there"
    )
    authority: Several[Authority] = Field((), description="your own, such as `DE-BY`, then others; `EEA` is all there")
    roles: dict[Role, Text] = Field(
        default_factory=dict,
        description="the roles of your staff and what the notice calls them; `privacy lead` and `desk` are there anyway",
    )


class People(Entry):
    """``people``: one kind of person that data is about."""

    label: Text = Field(description="what they are called, in the plural")
    minimum_age: int | None = Field(None, ge=0, le=21, description="younger people's data is refused")


class Data(Entry):
    """``data``: one field that may be held about a person."""

    category: DataTerm = Field(description="DPV term, such as `pd:EmailAddress`")
    label: Text | None = Field(None, description="what the field is called; the DPV term has a default")
    protect: Literal["sealed", "plain", "never stored"] = Field("sealed", description="how it is kept")
    identifies: bool = Field(False, description="a person can be found by it, such as an e-mail address")
    claimed_anonymous: bool = Field(False, description="the published text calls it anonymous")
    open_ended: Noted = Field("", description="the published words that leave the list open, such as `etc.`")
    special: bool = Field(False, description="a special category of GDPR Art. 9")


class Purpose(Entry):
    """``purposes``: one thing that data is used for."""

    label: Text
    basis: Basis = Field("not stated", description="legal basis, GDPR Art. 6(1)")
    special: Special = Field("", description="what lets special categories be used for it, GDPR Art. 9(2)")
    uses: Several[DataRef] = Field((), description="data that may be read for it")
    people: Several[PeopleRef] = Field((), description="whose data; blank means everyone's")
    needs: Several[Case] = Field((), description="what must be open; one of several is enough")
    before: date | None = Field(None, description="only people whose data was first held before this day, 00:00 UTC")
    roles: Several[RoleRef] = Field((), description="staff roles that may read for it; blank means any")
    aggregate_only: bool = Field(False, description="nobody reads single records for it")
    marketing: bool = Field(False, description="it is direct marketing")
    opt_out: bool = Field(False, description="people can say no to it at any time")
    essential: bool = Field(False, description="the service cannot run without it; nobody can freely agree to that")
    assessment: Shown = Field("", description="reference of the recorded legitimate-interest assessment")
    dpv: PurposeTerm = Field("", description="DPV purpose term, such as `dpv:DirectMarketing`")


class CollectionPoint(Entry):
    """``collection``: one place where data comes in."""

    label: Text
    source: Given = Field("", description="what the policy calls this moment; recorded with every holding")
    kind: Literal["form", "account", "import", "visit", "event"] = Field(
        "form",
        description="what sort of place; at a `visit` for members only, their visits are recorded with their account",
    )
    people: PeopleRef = Field(description="the kind of person it is about")
    required: Several[DataRef] = Field((), description="data that must be given")
    optional: Several[DataRef] = Field((), description="data that may be given")
    for_: Several[PurposeRef] = Field((), description="the purposes it is collected for")
    told: Text | None = Field(None, description="what else is said beside the form")
    offers: Several[Annotated[str, Refers("purposes", "recipients")]] = Field(
        (), description="purposes or recipients with an unticked check box of their own"
    )
    members_only: bool = Field(False, description="only people who have registered")
    opens: Opened = Field("none", description="what a submission begins, which stays open until it is closed")
    needs: Several[Case] = Field(
        (), description="what must be open for whoever submits, as in purposes; only at a point for members only"
    )
    partners: Several[RecipientRef] = Field((), description="for imports: the recipients that may supply it")
    counts_as_consent: Several[PurposeRef] = Field((), description="purposes that submitting is said to agree to")
    warns: Text | None = Field(None, description="a warning that must be acknowledged before submitting")
    keeps_when_different: dict[DataRef, DataRef] = Field(
        default_factory=dict, description="data kept only when it differs from other data, as `delivery: office`"
    )
    open_ended: Noted = Field("", description="the published words that leave the list open")


class Safeguard(Section):
    """What protects data in a country without adequate protection, GDPR Art. 46."""

    kind: SafeguardKind
    document: Noted = Field("", description="reference of the signed document")
    until: date | None = Field(None, description="last day it is valid")


class Recipient(Entry):
    """``recipients``: one party outside that may be given data, and exactly what."""

    name: Shown | None = Field(None, description="who it is; an unnamed recipient is a finding")
    does: Text = Field(description="what it does for the operator, as a clause: `manages e-mail campaigns`")
    role: Literal["processor", "controller", "partner", "affiliate", "authority", "advertiser", "public"] = "processor"
    country: Country | None = Field(None, description="where it keeps the data")
    safeguard: Safeguard | None = None
    receives: Several[DataRef] = Field((), description="the exact data it may get; blank means nothing")
    receives_aggregates: bool = Field(False, description="it may get statistics that single nobody out")
    for_: Several[PurposeRef] = Field((), description="the purposes it may get data for")
    consent: Annotated[str, Refers("purposes", also=("itself",))] = Field(
        "", description="the purpose, or `itself`, whose consent it needs"
    )
    ground: Literal["", "service provision", "consent", "law", "legal claim"] = ""
    needs: Several[Case] = Field((), description="what must be open, as in purposes")
    choice: bool = Field(False, description="people can switch this recipient off")
    consideration: Literal["none", "money", "rent", "barter", "licence", "not stated"] = "not stated"
    essential: bool = Field(True, description="the service cannot run without this transfer")
    why_essential: Text | None = Field(None, description="why it cannot be done without")
    policy_url: Url = Field("", description="its own policy; required for advertisers")
    agreement: Noted = Field("", description="reference of the processing agreement")


class Cookie(Entry):
    """``cookies``: one cookie or tracker."""

    label: Text
    set_by: Annotated[str, Refers("recipients", also=("itself",))] = Field("itself", description="who sets it")
    holds: Several[DataRef] = Field((), description="data it holds or reads")
    for_: Several[PurposeRef] = Field((), description="purposes")
    life: Period | None = Field(None, description="how long it stays")
    essential: bool = Field(False, description="the page cannot work without it")
    consent: PurposeRef = Field(
        "", description="the purpose whose consent it needs; blank is a finding unless essential"
    )
    pages: Several[Text] = Field((), description="pages it is used on, in words; blank means none")


class Visits(Entry):
    """``visits``: what is recorded when somebody looks at a page."""

    records: Several[Annotated[str, Refers("data", also=("time",))]] = Field(
        (), description="data of each visit; `time` is always kept"
    )
    for_: Several[PurposeRef] = Field((), description="purposes the visit log may be read for")
    keep: Period | None = Field(None, description="from the visit until it is gone")
    recording: bool = Field(True, description="whether visits are recorded at all")
    claimed_anonymous: bool = Field(False, description="the published text calls the records anonymous")
    truncate_ip: bool = Field(False, description="keep only the network part of an IP address")
    open_ended: Noted = Field("", description="the published words that leave the list open")


class Relationship(Entry):
    """``relationship``: what begins and ends business with one kind of person."""

    begins: Several[Begin] = Field((), description="events")
    ends: Several[End] = Field((), description="whichever comes first")
    silence: Period | None = Field(None, description="how long nothing must happen for `silence` to end it")
    silence_counts: Several[Happening] = Field(
        ("dealing",),
        description="what counts as something happening: a `dealing` always does, a `log-in` when it is named",
    )


class RetentionClock(Entry):
    """``retention``: one clock: what, how long, from which event, and what happens then."""

    what: Several[Annotated[str, Refers("data", also=("request log", "staff log"), phrases=(EVERYTHING,))]] = Field(
        description="data ids, `everything about a <people>`, `request log` or `staff log`"
    )
    people: PeopleRef = Field("", description="only for this kind of person")
    points: Several[Annotated[str, Refers("collection")]] = Field(
        (), description="only what came in at these collection points"
    )
    keep: Period | None = Field(None, description="how long; blank is a finding, unless it says `until`")
    after: Several[Happens] = Field(
        ("collection",), description="from which event: one, an entry of `events`, or several and `whichever`"
    )
    whichever: Literal["", "earlier", "later"] = Field(
        "", description="of several events; with `later` nothing ends before all have come"
    )
    counted_from: Literal["the event", "end of calendar year", "end of financial year"] = Field(
        "the event", description="whether the period begins with the event, or with the end of the year it lies in"
    )
    until: Several[Happens] = Field(
        (), description="in place of `keep`: data leaves every use with the event, and is destroyed as erasures are"
    )
    everywhere: bool = Field(False, description="recipients are told to delete, too")
    archive: bool = Field(False, description="kept apart under a hold, readable for `for` only")
    because: Shown = Field("", description="the legal reason of an archive")
    for_: Several[PurposeRef] = Field((), description="the purposes an archive may still be read for")

    @model_validator(mode="after")
    def _says_one_end(self) -> RetentionClock:
        if self.until and self.keep is not None:
            raise ValueError("a clock says how long to `keep`, or `until` when, and not both")
        if self.until and (self.archive or self.counted_from != "the event"):
            raise ValueError("an archive, and what counts from the end of a year, has a period: write `keep`")
        if "collection" in self.until:
            raise ValueError("data cannot end with the event it begins with")
        return self


class Right(Entry):
    """``rights``: one right that people can exercise."""

    right: Literal[
        "access", "copy", "portability", "correction", "erasure", "restriction", "objection", "withdrawal", "complaint",
        "complaint to us", "stop marketing", "cancel account", "review",
    ]  # fmt: skip
    by: Several[Channel] = Field((), description="channels")
    answer_within: Period | None = Field(None, description="time to answer; the law profile has a default")
    verify: bool = Field(True, description="the person's identity is checked first")
    label: Text | None = None
    limits: Several[Limit] = Field((), description="when it may be limited")
    against: Several[Annotated[str, Refers("purposes", "recipients", also=("transfers", "everything"))]] = Field(
        (), description="for objections: the purposes or recipients that can be objected to"
    )


class RequestLog(Entry):
    """``request log``: what is kept about a person exercising a right."""

    records: Several[Annotated[str, Refers("data", also=("time", "method"))]] = Field(
        (), description="what is recorded of a request"
    )
    keep: Period | None = None
    link_life: Period | None = Field(None, description="life of the one-time link")


class Erasure(Entry):
    """``erasure``: how deletion works."""

    destroy_within: Period | None = Field(None, description="from the request to physical destruction")
    may_keep: Several[KeptFor] = Field((), description="reasons for which some data may stay a while")
    everywhere: bool = Field(False, description="recipients are told to delete, too")


class MessageClass(Entry):
    """``messages``: one class of mail."""

    label: Text
    kind: Literal["promotional", "service", "confirmation", "notice"]
    for_: PurposeRef = Field(description="the purpose it is sent for")
    uses: Several[DataRef] = ("email",)
    when: Literal["elected", "concerned", "registered", "once per event"] = "concerned"
    unsubscribe: Literal["link", "e-mail", "link and e-mail", "none"] = "none"


class Statistic(Entry):
    """``statistics``: one aggregate; single records never leave."""

    label: Text
    by: Several[Annotated[str, Refers("data", also=("day",))]] = Field((), description="data it groups by")
    from_: Literal["visits", "holdings"] = "holdings"
    minimum_cell: int | None = Field(None, ge=2, description="smaller groups are suppressed")
    for_: Several[PurposeRef] = Field((), description="the purposes it is counted for")
    shared_with: Several[RecipientRef] = Field((), description="recipients that may get it")


class Transfers(Entry):
    """``transfers``: where data is kept and where it may go."""

    stored_in: Several[Country] = Field((), description="countries of the stores")
    may_move_to: Several[Country] = Field((), description="countries; a blank means nowhere")
    held_by: Several[RecipientRef] = Field((), description="who keeps facilities there")
    safeguards: Several[SafeguardKind] = Field((), description="kinds of safeguard that are promised")
    objection: bool = Field(False, description="people may object to transfers that are not essential")
    agreed_by_use: bool = Field(False, description="the text says that using the site agrees to transfers")


class Changes(Entry):
    """``changes``: how people learn of a new version."""

    told_by: Several[ToldBy] = Field((), description="each way in which people are told")
    lead_time: Period | None = Field(None, description="between notice and effect")
    remind_every: Period | None = Field(None, description="reminders by e-mail, until the version takes effect")
    significant_means: Several[Annotated[str, Refers("sections")]] = Field(
        (), description="sections whose change is significant"
    )
    check_back: bool = Field(False, description="people are asked to look again by themselves")
    posted_before: bool = Field(False, description="every change is posted before it takes effect")
    disagree: Text | None = Field(None, description="what somebody who disagrees can do")


class Policy(Section):
    """``policy.yaml``, whole."""

    policy: Header
    operator: Operator = Operator()
    people: dict[Id, People] = Field(default_factory=dict)
    data: dict[Id, Data] = Field(default_factory=dict)
    purposes: dict[Id, Purpose] = Field(default_factory=dict)
    collection: dict[Id, CollectionPoint] = Field(default_factory=dict)
    recipients: dict[Id, Recipient] = Field(default_factory=dict)
    cookies: dict[Id, Cookie] = Field(default_factory=dict)
    visits: Visits | None = None
    relationship: dict[Annotated[Id, Refers("people")], Relationship] = Field(default_factory=dict)
    retention: dict[Id, RetentionClock] = Field(default_factory=dict)
    rights: dict[Id, Right] = Field(default_factory=dict)
    request_log: RequestLog | None = None
    erasure: Erasure | None = None
    messages: dict[Id, MessageClass] = Field(default_factory=dict)
    statistics: dict[Id, Statistic] = Field(default_factory=dict)
    transfers: Transfers | None = None
    changes: Changes | None = None
    security: dict[Id, Measure] = Field(default_factory=dict)
    legal: dict[Id, LegalGround] = Field(default_factory=dict)
    absolutes: dict[Id, Absolute] = Field(default_factory=dict)
    statements: dict[Id, Statement] = Field(default_factory=dict)
