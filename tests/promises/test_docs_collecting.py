"""The page about taking data in is run as it stands."""

import re
import shutil
from pathlib import Path

import pytest

from troth.messages.publish import publish
from troth.people.keyring import make_site_key
from troth.store.prepare import prepare
from troth.store.site import open_site

ROOT = Path(__file__).parents[2]


def test_every_example_of_taking_data_in_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "sites" / "ledflex"
    shutil.copytree(ROOT / "sites" / "ledflex", folder, ignore=shutil.ignore_patterns("var"))
    with_tables = open_site(folder)
    prepare(with_tables)
    make_site_key(with_tables)
    publish(with_tables)
    with_tables.close()
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "collecting.md").read_text(), re.DOTALL)
    assert len(blocks) == 6
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "docs/collecting.md", "exec"), names)
