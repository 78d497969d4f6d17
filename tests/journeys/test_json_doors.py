"""Whatever fits the description of the JSON doors, or almost fits it, is answered as the description says and never with a 500.

Schemathesis draws requests from a site's own OpenAPI document; the ones that must be signed are signed here as a controller, an
agent or a program would, so that what lies behind the signature is reached as well.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.databases import StoreKind
from tests.peers import AgentAtHome, ControllerAtHome, rewired, wish, with_agents, with_controllers
from tests.served import Client, client
from tests.shoppers import ANN, registered
from troth.settings import Program
from troth.store.site import Site

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
TOKEN = "t" * 40
EXAMPLES = 12
"""drawn for each operation: enough to find what is plainly wrong, few enough for every run"""


@pytest.fixture
def store_kind() -> StoreKind:
    return "sqlite"


@dataclass
class Doors:
    """All JSON doors of a shop, and whoever may come in."""

    web: Client
    controller: ControllerAtHome
    agent: AgentAtHome
    described: dict[str, Any]

    def send(self, case: Any) -> httpx.Response:
        """What ``case`` drew, signed by whoever may sign it."""
        path, method = case.formatted_path, case.method.upper()
        raw, headers = _body(case), {"Content-Type": case.media_type or "", **_plain(case.headers)}
        if "/opendsr/" in path:
            headers |= self.controller.signed(raw or f"{method} {path}".encode())
        elif "/drp/" in path:
            headers |= self.agent.bearer
            raw = self.agent.message(_claims(self.agent, raw)) if raw else raw
        else:
            headers["Authorization"] = f"Bearer {TOKEN}"
        answer: httpx.Response = self.web.request(method, path, content=raw, headers=headers, params=_plain(case.query))
        return answer


def _plain(values: Any) -> dict[str, str]:
    """Values that can be sent: no client lets others through."""
    found = {str(key): str(value) for key, value in (values or {}).items()}
    return {key: value for key, value in found.items() if (key + value).isascii() and (key + value).isprintable()}


def _body(case: Any) -> bytes:
    if case.body is None or isinstance(case.body, schemathesis.core.NotSet):
        return b""
    return case.body.encode(errors="replace") if isinstance(case.body, str) else json.dumps(case.body).encode()


def _claims(agent: AgentAtHome, drawn: bytes) -> dict[str, Any]:
    """A message that passes the checks and says something drawn."""
    return agent.claims(exercise="access", email=ANN["email"], name=drawn.decode(errors="replace"))


@pytest.fixture
def doors(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Doors]:
    monkeypatch.setenv("SHOP_CRM", TOKEN)
    crm = Program.model_validate({"role": "support", "token env": "SHOP_CRM", "purposes": ["service"]})
    shop = rewired(with_agents(with_controllers(site, vouches=True), vouches=True), programs={"crm": crm})
    registered(shop, ANN)
    with client(shop) as web:
        agent = AgentAtHome(web, shop)
        agent.set_up()
        described = web.get("/shop/api/openapi").json()
        yield Doors(web, ControllerAtHome(web), agent, described)


def test_every_operation_answers_as_it_is_described(doors: Doors) -> None:
    operations = [one.ok() for one in schemathesis.openapi.from_dict(doors.described).get_all_operations()]
    assert {one.path.split("/")[2] for one in operations} == {"api", "opendsr", "drp"}
    answered: set[int] = set()
    for operation in operations:

        @seed(7)
        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def answers(case: Any) -> None:
            answer = doors.send(case)
            answered.add(answer.status_code)
            case.validate_response(answer, checks=CHECKS)

        answers()
    assert answered >= {200, 400, 403, 404, 422}, "both sides of the doors were reached"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)


def test_whatever_stands_in_a_signed_request_is_taken_in_or_told_by_its_key(doors: Doors, site: Site) -> None:
    good = wish(site, ANN["email"])

    @seed(7)
    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(sorted(good)), ANYTHING)
    def holds(key: str, value: object) -> None:
        answer = doors.controller.ask(good | {key: value})
        assert answer.status_code in (201, 400)
        if answer.status_code == 400:
            assert {one["reason"] for one in answer.json()["error"]["errors"]} <= {key}

    holds()


def test_whatever_stands_in_a_signed_message_is_taken_in_or_declined(doors: Doors) -> None:
    good = doors.agent.claims(exercise="access", email=ANN["email"], email_verified=True, name="Ann", regime="ccpa")

    @seed(7)
    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from([*sorted(good), "agent-request-id", "status_callback"]), ANYTHING)
    def holds(key: str, value: object) -> None:
        answer = doors.agent.send(doors.agent.message(good | {key: value}))
        assert answer.status_code in (200, 400, 403, 409)
        assert answer.status_code == 200 or answer.json()["code"] == str(answer.status_code)

    holds()


def test_the_description_is_valid_and_describes_no_door_that_a_site_does_not_have(doors: Doors, site: Site) -> None:
    for path in doors.described["paths"].values():
        for operation in (one for key, one in path.items() if key != "parameters"):
            for said in operation["responses"].values():
                for content in said.get("content", {}).values():
                    Draft202012Validator.check_schema(content["schema"])
    with client(site) as web:
        paths = web.get("/shop/api/openapi").json()["paths"]
    assert not [one for one in paths if "opendsr" in one or "drp" in one]
