"""``check``: everything that is wrong with a site's policy, in one run, and the policy that is in effect after all.

The published policy is read and linted; the decisions are laid over it; the result is read and linted again, so that a
decision that opens a new gap must settle that gap, too. What the law requires and the policy leaves out is supplied last,
visibly: ``origins`` says of every such part where it comes from. This is the one module of the language that reads files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path as FilePath

from troth.policy.decisions import FILE as DECISIONS
from troth.policy.decisions import Decision, Overlaid, Taken, decisions_in, lay_over, misfits, read_decisions, settle
from troth.policy.document import Document, parse_document, read_document
from troth.policy.findings import Finding, Path
from troth.policy.law import Profile, profiles_of, supply
from troth.policy.lint import RULES, lint
from troth.policy.lint.repair import lintable
from troth.policy.model import Policy
from troth.policy.parse import Reading, read_policy

FILE = "policy.yaml"
_READING = ("P-", "D-")


@dataclass(frozen=True)
class Checked:
    """A site's policy after checking. ``policy`` is the one in effect; None when it cannot be read as a policy.

    ``document`` holds the policy's tree with the decisions laid over it, and where each part stands, in either file.
    """

    document: Document
    published: Policy | None
    policy: Policy | None
    findings: tuple[Finding, ...]
    decisions: tuple[Decision, ...] = ()
    origins: Mapping[Path, str] = field(default_factory=dict)
    profiles: tuple[Profile, ...] = ()

    @property
    def unsettled(self) -> tuple[Finding, ...]:
        """The errors that no decision settles; while there is one, the site is not served."""
        return tuple(f for f in self.findings if f.severity == "error" and not f.settled_by)

    def origin(self, path: Path) -> str:
        """Where the part of the policy at ``path`` comes from: a decision, a law, or blank for the policy itself."""
        found = [path[:length] for length in range(len(path), 0, -1) if path[:length] in self.origins]
        return self.origins[found[0]] if found else ""


def check(folder: FilePath, as_published: bool = False, today: date | None = None) -> Checked:
    """Check the policy in ``folder``; ``as_published`` leaves the decisions out, ``today`` finds what has expired.

    Raises:
        PolicyError: when a file is missing or is no YAML; everything else is a finding.
    """
    document = read_document(folder / FILE)
    return check_document(document, Taken() if as_published else read_decisions(folder), today)


def check_texts(policy: str, decisions: str = "", today: date | None = None) -> Checked:
    """As ``check``, on the texts of the two files, such as those of an archived version. Pure; raises as ``check``."""
    taken = decisions_in(parse_document(decisions, DECISIONS)) if decisions.strip() else Taken()
    return check_document(parse_document(policy, FILE), taken, today)


def check_document(document: Document, taken: Taken, today: date | None = None) -> Checked:
    """As ``check``, on files that were already read. Pure."""
    published = read_policy(document)
    overlaid = lay_over(document, taken)
    effective = read_policy(overlaid.document) if overlaid.origins else published
    linted = _linted(effective, today)
    findings = _all_findings(published, overlaid, effective, linted, today)
    readable = published.policy is not None and effective.policy is not None
    unset = frozenset(f.key for f in linted if RULES[f.rule].needs_value)
    findings = settle(findings, taken, readable, unset) + taken.findings + overlaid.findings
    base = Checked(overlaid.document, published.policy, None, _in_order(findings), taken.decisions, overlaid.origins)
    return _with_law(base, effective.policy)


def _all_findings(
    published: Reading, overlaid: Overlaid, effective: Reading, after: tuple[Finding, ...], today: date | None
) -> tuple[Finding, ...]:
    """What is wrong as published or in effect (``after``); once for each key and message, the effective one first."""
    if effective is published:
        return published.findings + after
    before = published.findings + _linted(published, today)
    seen = {finding.key for finding in after}
    gone = tuple(f for f in before if f.key not in seen or f.rule.startswith(_READING))
    return gone + after + tuple(misfits(overlaid, published.findings, effective.findings))


def _linted(reading: Reading, today: date | None) -> tuple[Finding, ...]:
    policy = lintable(reading)
    return lint(policy, reading.document, today) if policy else ()


def _in_order(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple(sorted(set(findings), key=lambda f: (f.place.file != FILE, f.place, f.rule, f.path, f.message)))


def _with_law(checked: Checked, policy: Policy | None) -> Checked:
    if policy is None:
        return checked
    profiles = profiles_of(policy)
    supplied = supply(policy, profiles)
    return Checked(
        checked.document,
        checked.published,
        supplied.policy,
        checked.findings,
        checked.decisions,
        {**checked.origins, **supplied.origins},
        profiles,
    )
