"""A verdict is evidence for what it measures: what else a sentence says is named beside it, in words, as not proven."""

from __future__ import annotations

import pytest

from tests.notices import ROOT
from tests.policies import NAMES, SitePolicy
from troth.evidence.catalogue import CATALOGUE
from troth.evidence.coverage import NO_PART, uncovered
from troth.evidence.words import part
from troth.policy.check import check
from troth.policy.compile import compile_policy
from troth.policy.kinds import KINDS, keys_of
from troth.policy.notice.language import LANGUAGES

SECTIONS = sorted({kind.entries.section for kind in KINDS.values() if kind.entries})


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_is_measured_named_or_said_to_be_not_proven(section: str) -> None:
    kinds = [kind.id for kind in KINDS.values() if kind.entries and kind.entries.section == section]
    covered = NO_PART.union(*(CATALOGUE[kind].covers for kind in kinds))
    for key in set(keys_of(section)) - covered:
        assert [part(key, tag) for tag in LANGUAGES], key


def test_what_optokingdom_says_of_changes_is_measured_but_for_what_it_asks_of_readers() -> None:
    policy = SitePolicy("optokingdom").effective.policy
    assert policy is not None
    compiled = compile_policy(policy)
    assert uncovered(compiled, compiled.by_id["changes"]) == ("check back", "significant means")


def test_what_a_recipient_does_and_that_reasons_were_weighed_is_said_to_be_not_proven() -> None:
    """Both stand in the notice as facts, and no proof looks at either."""
    checked = check(ROOT / "tests" / "shop")
    assert checked.policy is not None
    compiled = compile_policy(checked.policy)
    weighed = [f"purposes.{key}" for key, one in compiled.policy.purposes.items() if one.assessment]
    assert weighed and compiled.policy.recipients
    assert all("assessment" in uncovered(compiled, compiled.by_id[one]) for one in weighed)
    assert all("does" in uncovered(compiled, compiled.by_id[f"recipients.{one}"]) for one in compiled.policy.recipients)


@pytest.mark.parametrize("name", NAMES)
def test_no_part_is_shown_twice_and_none_that_a_proof_measures(name: str) -> None:
    policy = SitePolicy(name).effective.policy
    assert policy is not None
    compiled = compile_policy(policy)
    shown = [(one.path, key) for one in compiled.promises for key in uncovered(compiled, one)]
    assert shown and len(shown) == len(set(shown))
    for promise in compiled.promises:
        assert not set(uncovered(compiled, promise)) & CATALOGUE[promise.kind].covers
