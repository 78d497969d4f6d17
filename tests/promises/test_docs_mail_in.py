"""The page about mail that comes in is run as it stands, and its wiring is read."""

import re
from pathlib import Path

from ruamel.yaml import YAML

from troth.settings import MailWires

PAGE = (Path(__file__).parents[2] / "docs" / "mail-in.md").read_text()


def test_every_example_of_mail_that_comes_in_does_what_it_says() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, "docs/mail-in.md", "exec"), {})


def test_every_example_of_wiring_is_one() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        wires = MailWires.model_validate(YAML(typ="safe").load(block)["mail"])
        assert wires.receive or wires.mailbox
