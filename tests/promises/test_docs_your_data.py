"""The page about copies says what they are: its example fits the schema, and its snippets run."""

import json
import re
from pathlib import Path

from jsonschema import Draft202012Validator

from tests.copies import busy, by
from troth.rights.copy.schema import copy_schema
from troth.store.site import Site

PAGE = (Path(__file__).parents[2] / "docs" / "your-data.md").read_text(encoding="utf-8")


def test_the_example_fits_the_schema() -> None:
    [example] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    Draft202012Validator.check_schema(copy_schema())
    assert list(Draft202012Validator(copy_schema()).iter_errors(json.loads(example))) == []


def test_the_snippets_run(site: Site) -> None:
    person_id = busy(site)
    names: dict[str, object] = {"site": site, "person_id": person_id, "by": by(person_id)}
    for snippet in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(snippet, names)
    assert "Ann Other" in str(names["page_part"])
