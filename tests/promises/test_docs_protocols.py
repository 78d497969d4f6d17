"""What docs/protocols.md says about requests by API is what there is."""

import re
from pathlib import Path

from tests.peers import with_agents, with_controllers
from troth.rights import rules
from troth.rights.protocols import drp, opendsr
from troth.rights.protocols.drp import verify_key
from troth.store.site import Site
from troth.store.wiring import read_wiring
from troth.web.described import of_protocols

PAGE = (Path(__file__).parents[2] / "docs" / "protocols.md").read_text()


def rows(heading: str) -> list[list[str]]:
    """The cells of the table that follows the words ``heading``."""
    found = re.search(rf"^\| {re.escape(heading)}.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert found, heading
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found[1].splitlines()]


def test_the_wiring_in_the_page_is_one(tmp_path: Path) -> None:
    [example] = re.findall(r"```yaml\n(name:.*?)```", PAGE, re.DOTALL)
    (tmp_path / "site.yaml").write_text(example)
    wiring = read_wiring(tmp_path)
    assert wiring.opendsr is not None and wiring.drp is not None
    assert [verify_key(one.verify_key) for one in wiring.drp.agents.values()]


def test_the_page_names_every_door_and_no_other(site: Site) -> None:
    told = set(re.findall(r"^\| `([A-Z]+) /SITE(/(?:opendsr|drp)/\S+)`", PAGE, re.MULTILINE))
    paths = of_protocols(with_agents(with_controllers(site)))
    there = {
        (method.upper(), re.sub(r"\{\w+\}", "ID", path.removeprefix("/shop")))
        for path, operations in paths.items()
        for method in operations.keys() - {"parameters"}
    }
    assert told == there


def test_the_page_names_every_status_and_every_outcome() -> None:
    assert {row[0].strip("`") for row in rows("`request_status`")} == {
        *opendsr.STATUS.values(),
        *opendsr.ENDED.values(),
    }
    said = " ".join(row[1] for row in rows("`request_status`"))
    assert all(f"`{outcome}`" in said for outcome in rules.OUTCOMES)


def test_the_page_names_every_state_and_reason_of_the_data_rights_protocol() -> None:
    told = {(row[0].strip("`"), row[1].strip("`")) for row in rows("`status` | `reason`")}
    there = {drp.called(state, "") for state in ("verifying", "open", "carrying out")}
    there |= {drp.called("closed", outcome) for outcome in rules.OUTCOMES}
    assert told == {(one.status, one.reason) for one in there}


def test_the_page_names_everything_that_can_be_exercised() -> None:
    told = {name for row in rows("`exercise`") for name in re.findall(r"`([a-z:-]+)`", row[0])}
    assert told == {*drp.EXERCISES, "sale:opt-in"}
