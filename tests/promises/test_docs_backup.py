"""The page about backups is run as it stands."""

import re
from pathlib import Path

from tests.promises.test_docs import free_port, matches, run, steps

PAGE = (Path(__file__).parents[2] / "docs" / "backup-and-restore.md").read_text()


def test_the_page_about_backups_does_what_it_says(tmp_path: Path) -> None:
    port, found = free_port(), steps(PAGE)
    assert len(found) == 6
    for step in found:
        output = run(step.text, tmp_path, port)
        missing = list(matches(step.expected, output))
        assert not missing, f"after\n{step.text}\nthese lines were announced:\n{missing}\nand this came:\n{output}"


def test_every_block_of_the_page_is_run_or_compared() -> None:
    fences = re.findall(r"^```(\w*)$", PAGE, re.MULTILINE)
    assert set(fences) == {"sh", "text", ""}
    assert len(steps(PAGE)) + fences.count("text") == fences.count("") == len(fences) // 2
