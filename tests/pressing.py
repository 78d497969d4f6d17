"""Acts at the desk as a member of staff carries them out: follow a link, fill a form in, press its button."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

from tests.served import Client
from troth.acts.table import ACTS


@dataclass
class Form(HTMLParser):
    """A form as a browser sees it: where it goes, and of each input what stands in it and what can be chosen."""

    action: str = ""
    values: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    boxes: dict[str, str] = field(default_factory=dict)
    _select: str = ""
    _text: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        name = said.get("name", "")
        if tag == "form":
            self.action = said["action"]
        elif tag == "input" and said.get("type") == "checkbox":
            self.boxes[name] = said["value"]
            if "checked" in said:
                self.values[name] = said["value"]
        elif tag == "input" and said.get("type") == "radio":
            self.choices.setdefault(name, []).append(said["value"])
            if "checked" in said:
                self.values[name] = said["value"]
        elif tag == "input" and name:
            self.values[name] = said.get("value", "")
        elif tag == "select":
            self._select = name
            self.choices[name] = []
        elif tag == "option":
            first = not self.choices[self._select]
            self.choices[self._select].append(said["value"])
            if first or "selected" in said:
                self.values[self._select] = said["value"]
        elif tag == "textarea":
            self._text = name
            self.values[name] = ""

    def handle_data(self, data: str) -> None:
        if self._text:
            self.values[self._text] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._text = ""

    def filled(self, given: Mapping[str, Any]) -> dict[str, str]:
        """What a browser sends when ``given`` is chosen, ticked and typed. Fails where the form does not ask for it."""
        sent = dict(self.values)
        for name, said in given.items():
            if isinstance(said, list):
                sent |= {f"{name}.{one}": self.boxes[f"{name}.{one}"] for one in said}
            elif isinstance(said, dict):
                assert not said.keys() - {one.partition(".")[2] for one in self.values}
                sent |= {f"{name}.{one}": value for one, value in said.items()}
            else:
                assert name in self.values or name in self.choices, f"the form does not ask for {name}"
                assert said in self.choices.get(name, [said]), f"{said} is not among {self.choices[name]}"
                sent[name] = said
        return sent


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append(dict(attrs).get("href") or "")


def links_of(page: str) -> list[str]:
    """The addresses that ``page`` leads to."""
    links = _Links()
    links.feed(page)
    return links.found


def form_of(page: str) -> Form:
    """The form in the text of a page."""
    form = Form()
    form.feed(page.partition("<main")[2].partition("</main>")[0])
    assert form.action, "the page has no form"
    return form


def look_up(web: Client, site: str, why: str = "order", then: str = "", **whom: str) -> httpx.Response:
    """Find somebody at the desk: ``look_up(web, "shop", email="ann@...")``; their page, or the form of the act ``then``."""
    (name, value), *_ = whom.items()
    page = web.get(f"/{site}/desk/acts/{then}" if then else f"/{site}/desk/people")
    form = form_of(page.text)
    found: httpx.Response = web.post(form.action, data=form.filled({"field": name, "value": value, "why": why}))
    return found


def form_for(web: Client, site: str, name: str, person: str = "", **whom: str) -> httpx.Response:
    """The form of an act: from the page of its person, who is looked up, or from the page of all acts."""
    page = look_up(web, site, **whom) if person else web.get(f"/{site}/desk/acts")
    found = [one for one in links_of(page.text) if f"/acts/{name}" in one]
    assert found, f"no link leads to {name}"
    asked: httpx.Response = web.get(found[0])
    return asked


def carry_out(web: Client, site: str, name: str, given: Mapping[str, Any], **whom: str) -> httpx.Response:
    """Carry out the act ``name`` at the desk; ``whom`` is what identifies its person, if it is about one."""
    person = str(given.get("person", ""))
    page = form_for(web, site, name, person, **whom)
    form = form_of(page.text)
    assert not person or form.values["person"] == person, "the person is filled in"
    typed = {key: _day(said) if ACTS[name].argument(key).type == "instant" else said for key, said in given.items()}  # type: ignore[union-attr]
    typed = {key: said for key, said in typed.items() if key != "person"}
    if name == "find-person":
        typed["why"] = "asked"
    sent: httpx.Response = web.post(form.action, data=form.filled(typed))
    return sent


def _day(said: str) -> str:
    """An instant as an input for days holds it."""
    return said[:10]
