"""The closed words of the policy language: what each key may say. A word that is not here and that nothing defines is an error.

Each enumeration that a sentence of the notice speaks of has words in every language, and the catalogue has no other
(``SAID``; ``tests/rules/test_closed_words.py`` compares them): a word without an engine behind it cannot be printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import StringConstraints

from troth.policy.closed import Refers
from troth.policy.happenings import AGES, LANGUAGE, WITHDRAWAL

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Role = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9 -]{0,62}$")]
DataRef = Annotated[str, Refers("data")]
PeopleRef = Annotated[str, Refers("people")]
PurposeRef = Annotated[str, Refers("purposes")]
RecipientRef = Annotated[str, Refers("recipients")]
Authority = Annotated[str, Refers("authorities", also=("EEA",))]
RoleRef = Annotated[str, Refers("roles")]

Happens = Annotated[str, Refers("events", also=(*LANGUAGE, *AGES), phrases=(WITHDRAWAL,))]
"""What a period of retention counts from."""

Tag = Literal["en", "zh-Hant"]
Law = Literal["eu-gdpr", "uk-gdpr", "us-ca", "tw-pdpa"]
Basis = Literal[
    "consent", "contract", "legal obligation", "vital interests", "public task", "legitimate interest", "not stated"
]
Special = Literal[
    "", "explicit consent", "employment law", "vital interests", "not-for-profit body", "made public", "legal claims",
    "substantial public interest", "health care", "public health", "research",
]  # fmt: skip
"""What lets special categories be used, GDPR Art. 9(2)(a) to (j)."""
Flow = Literal["from people", "from partners", "to partners"]
Opened = Literal["order", "request", "ticket", "application", "project", "none"]
"""What a submission can begin."""
Case = Literal[
    "open order", "paid order", "open request", "open ticket", "open application", "open project", "open case"
]  # fmt: skip
"""What must be open for a use: its dealing begins with a form, an import, or an act of the operator's own system."""
SafeguardKind = Literal["adequacy", "standard clauses", "binding corporate rules", "explicit consent"]
Begin = Literal["order", "registration", "enquiry"]
End = Literal[
    "customer notice", "last warranty ends", "silence", "account closed", "unsubscribed", "enquiry answered"
]  # fmt: skip
Happening = Literal["dealing", "log-in"]
"""What keeps business from falling silent. What is not measured is not here: nobody can promise it."""
Channel = Literal["account", "e-mail", "letter", "web", "telephone"]
Limit = Literal["reveals another person", "legal duty", "compelling interest", "open order", "legal claim"]
KeptFor = Literal["open orders", "legal duties", "legal claims"]
ToldBy = Literal["page", "banner", "e-mail"]
OnRecord = Literal[
    "reference", "approver", "fields", "end", "effect on people", "belief", "evidence", "ground", "reason", "necessity",
    "persons of the case", "agency", "finding", "law cited", "written belief",
]  # fmt: skip
"""What must be on record before a ground of ``legal`` is used."""

DESK_ROLES = ("privacy lead", "desk")
"""Roles that are there whatever a policy says."""
TOPICS = ("who", "what", "why", "with whom", "where", "how long", "choices", "security", "changes", "contact")
"""What a notice is about, in the order in which people ask."""

SAID: Mapping[str, tuple[str, ...]] = {
    "flows": get_args(Flow),
    "special": tuple(word for word in get_args(Special) if word),
    "needs": get_args(Case),
    "safeguards": get_args(SafeguardKind),
    "begins": get_args(Begin),
    "ends": get_args(End),
    "channels": get_args(Channel),
    "limits": get_args(Limit),
    "may keep": get_args(KeptFor),
    "told by": get_args(ToldBy),
    "records": get_args(OnRecord),
    "roles": DESK_ROLES,
}
"""The tables of the sentences' catalogue, and the words that each must have and may have."""
