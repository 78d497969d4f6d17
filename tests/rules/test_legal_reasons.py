"""What a legal ground is called where it is the reason for giving data: as the policy words it, never by its id."""

import pytest

from tests.policies import SitePolicy
from troth.policy.notice.language import Speaker, language
from troth.rights.copy.voice import Voice
from troth.web.desk.called import Called

COMPILED = SitePolicy("ledinside").compiled


@pytest.mark.parametrize(
    ("tag", "label"), [("en", "law or a government agency requires it"), ("zh-Hant", "法律或政府機關要求")]
)
def test_people_and_staff_read_the_words_of_the_ground(tag: str, label: str) -> None:
    voice = Voice(COMPILED, Speaker(COMPILED.policy, language(tag)), tag, lambda _: None)
    assert label in voice.purpose("legal:law_or_agency").label
    assert label in Called(COMPILED, tag).scope("legal:law_or_agency")


def test_a_ground_that_the_policy_no_longer_has_is_still_named() -> None:
    voice = Voice(COMPILED, Speaker(COMPILED.policy, language("en")), "en", lambda _: None)
    assert "abolished" in voice.purpose("legal:abolished").label
