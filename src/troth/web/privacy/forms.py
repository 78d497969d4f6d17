"""What the forms of the privacy pages share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from litestar.enums import RequestEncodingType
from litestar.params import Body

from troth.web.arrival import takes
from troth.web.visits import SECRET_PATH, UNRECORDED

Sent = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]
FORM: dict[str, Any] = {
    "sync_to_thread": True,
    "status_code": 200,
    "guards": [takes("application/x-www-form-urlencoded")],
    "include_in_schema": False,
}
LINK: dict[str, Any] = {
    "sync_to_thread": True,
    "opt": {SECRET_PATH: True, UNRECORDED: True},
    "include_in_schema": False,
}


def texts(data: Mapping[str, Any]) -> dict[str, str]:
    """What was sent, with one text for each name: of several with one name the last, of anything else a blank."""
    return {name: value if isinstance(value, str) else "" for name, value in data.items()}


def ticked(data: Mapping[str, Any], prefix: str) -> frozenset[str]:
    """The boxes that were ticked, by what stands after ``prefix`` in their names."""
    return frozenset(name.removeprefix(prefix) for name in data if name.startswith(prefix))
