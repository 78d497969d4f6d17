"""The linter: what is wrong with how a policy promises. Run every rule over a policy with ``lint``."""

from __future__ import annotations

from datetime import date

from troth.policy.document import Document
from troth.policy.findings import Finding
from troth.policy.lint import (  # noqa: F401  importing a file registers its rules
    accounts,
    children,
    choices,
    clocks,
    collection,
    consent,
    contradictions,
    cookies,
    dealings,
    flows,
    loose_ends,
    mailing,
    notice,
    periods,
    recipients,
    rights,
    scope,
    selling,
    special,
    terms_of_rights,
    wording,
)
from troth.policy.lint.registry import RULES, Context, Rule, context_of, in_order
from troth.policy.model import Policy

__all__ = ["RULES", "Context", "Rule", "in_order", "lint"]


def lint(policy: Policy, document: Document, today: date | None = None) -> tuple[Finding, ...]:
    """Everything the rules find, in the order of their ids; ``today`` finds what has expired."""
    context = context_of(policy, document, today)
    return tuple(finding for rule in in_order() for finding in rule.run(policy, context))
