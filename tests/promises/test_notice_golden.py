"""The notices of the five sites, word for word. ``TROTH_REGENERATE=1`` writes them anew; then read them as a stranger."""

import os
from pathlib import Path

import pytest

from tests.notices import SITES_IN_LANGUAGES, notice_of
from troth.policy.notice import as_markdown

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.mark.parametrize(("site", "tag"), SITES_IN_LANGUAGES)
def test_the_notice_reads_as_it_was_last_read(site: str, tag: str) -> None:
    file = GOLDEN / f"{site}.{tag}.md"
    made = as_markdown(notice_of(site, tag))
    if os.environ.get("TROTH_REGENERATE"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(made, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == made
