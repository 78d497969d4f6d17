"""The words of one language, and a ``Speaker`` who says things about one policy in it.

Sentences are Jinja2 templates from ``policy/sentences/``, run in a sandbox: they are data, perhaps from a translator, and
may look at a policy but do nothing. They produce plain text; whoever makes a page of it escapes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from ruamel.yaml import YAML

from troth.errors import PolicyError
from troth.policy.model import Policy
from troth.policy.periods import Period
from troth.policy.terms import terms
from troth.policy.words import ANY_LANGUAGE, Text

LANGUAGES = ("en", "zh-Hant")
_SENTENCES = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
_SEAM = re.compile(r"(?<=[\u4e00-\u9fff])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=[\u4e00-\u9fff])")
_UNITS = (
    ("year", timedelta(days=365)),
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)


@dataclass(frozen=True)
class Language:
    """The sentence catalogue of one language."""

    tag: str
    tree: Mapping[str, Any]
    locale: Locale

    def template(self, kind: str, part: str, key: str) -> str:
        """The template ``key`` among ``say`` or ``also`` of a kind; blank only for a lead that a kind does not have."""
        try:
            entry = self.tree["kinds"][kind]
            return str(entry.get("lead", "") if part == "lead" else entry[part][key])
        except KeyError as error:
            raise PolicyError(f"{self.tag} has no sentence `{key}` for `{kind}` ({error}).", "Add it.") from None


@cache
def language(tag: str) -> Language:
    """The catalogue of the language ``tag``, read once.

    Raises:
        PolicyError: when there is no catalogue for it.
    """
    if tag not in LANGUAGES:
        raise PolicyError(f"there are no sentences in the language `{tag}`.", f"There are: {', '.join(LANGUAGES)}.")
    tree = _load(f"sentences/{tag}.yaml")
    return Language(tag, tree, Locale.parse(tree["locale"]))


def _load(name: str) -> Any:
    return YAML(typ="safe").load(files("troth.policy").joinpath(name).read_text(encoding="utf-8"))


@cache
def _compiled(template: str) -> Any:
    return _SENTENCES.from_string(template)


class Speaker:
    """Says things about ``policy`` in one language; its public methods are what the templates can call."""

    def __init__(self, policy: Policy, words: Language) -> None:
        self.policy = policy
        self.words = words
        self.operator = policy.operator.name or self.phrase("operator", "unnamed")

    def render(self, template: str, **values: Any) -> str:
        """The words of ``template``, with a capital first letter."""
        named = {name: getattr(self, name) for name in _SPOKEN}
        return self.finish(_compiled(template).render(policy=self.policy, **named, **values))

    def finish(self, words: str) -> str:
        """A sentence as it is printed: a capital first letter and, in Chinese, spaces around Latin words."""
        spaced = _SEAM.sub(" ", words) if self.words.tree["spaced"] else words
        return capital(spaced.strip())

    def page(self, key: str, **values: str) -> str:
        """Words of the page itself."""
        return self.finish(str(self.words.tree["page"][key]).format(**values))

    def phrase(self, table: str, word: str, **values: str) -> str:
        """What ``word`` of the policy is called; the word itself when the catalogue has no other."""
        return str(self.words.tree["phrases"][table].get(word, word)).format(**values)

    def phrases(self, table: str, names: Iterable[str], silence: Period | None = None) -> list[str]:
        """Several, as ``phrase``."""
        values = {"silence": self.duration(silence)} if silence else {}
        return [self.phrase(table, name, **values) for name in names]

    def text(self, text: Text) -> str:
        """The policy's own words in this language; without a capital, since they may stand inside a sentence."""
        return text.say(self.words.tag)

    def sentence(self, words: str) -> str:
        """``words`` with a full stop, whether or not the policy wrote one."""
        return words if words.rstrip().endswith((".", "!", "?", "。", "！", "？")) else words + self._stop

    @property
    def _stop(self) -> str:
        return str(self.words.tree["full stop"])

    def every(self, words: Iterable[str]) -> str:
        """``a, b and c``"""
        return format_list(list(words), locale=self.words.locale)

    def either(self, words: Iterable[str]) -> str:
        """``a, b or c``"""
        return format_list(list(words), style="or", locale=self.words.locale)

    def label(self, key: str) -> str:
        """The name of one field of data."""
        entry = self.policy.data.get(key)
        if entry is None:
            return self.phrase("what", key)
        term = terms().get(entry.category, {})
        own = entry.label.root if entry.label else {}
        tag = self.words.tag
        return own.get(tag) or own.get(ANY_LANGUAGE) or term.get(tag) or own.get("en") or key.replace("_", " ")

    def fields(self, keys: Iterable[str]) -> str:
        """Names of data, in a list."""
        return self.every(self.label(key) for key in keys)

    def data(self, keys: Iterable[str]) -> str:
        """Names of data as the reader's own: ``your name, e-mail address and what you write to us``."""
        labels = [self.label(key) for key in keys]
        determined = tuple(self.words.tree["determined"])
        yours = [label for label in labels if not label.startswith(determined)]
        together = self.every(yours + [label for label in labels if label.startswith(determined)])
        return str(self.words.tree["possessive"]).format(list=together) if yours else together

    def purposes(self, keys: Iterable[str]) -> str:
        """Labels of purposes, apart by semicolons, since a label may hold commas."""
        entries = self.policy.purposes
        return self._apart(self.text(entries[key].label) if key in entries else key for key in keys)

    def recipients(self, keys: Iterable[str]) -> str:
        """Names of recipients."""
        return self.every(self.recipient(key) for key in keys)

    def recipient(self, key: str) -> str:
        """The name of one recipient; one that the policy does not name is called so."""
        entry = self.policy.recipients.get(key)
        return (entry.name if entry else self.operator) or self.phrase("unnamed", "recipient")

    def texts(self, texts: Iterable[Text]) -> list[str]:
        """Several of the policy's own words, as ``text``."""
        return [self.text(one) for one in texts]

    def roles(self, keys: Iterable[str]) -> list[str]:
        """What the policy calls roles of the staff; those of the desk have words in the catalogue."""
        named = self.policy.operator.roles
        return [self.text(named[key]) if key in named else self.phrase("roles", key) for key in keys]

    def points(self, keys: Iterable[str]) -> str:
        """Labels of collection points."""
        return self._apart(self.text(self.policy.collection[key].label) for key in keys)

    def people(self, keys: Iterable[str]) -> str:
        """Labels of kinds of people."""
        known = self.policy.people
        return self.every(self.text(known[key].label) if key in known else key for key in keys)

    def choices(self, keys: Iterable[str]) -> str:
        """Purposes and recipients that one can say yes or no to."""
        return self._apart(self._choice(key) for key in keys)

    def _choice(self, key: str) -> str:
        if key in self.policy.purposes:
            return self.text(self.policy.purposes[key].label)
        return self.recipient(key) if key in self.policy.recipients else self.phrase("exceptions", key)

    def exceptions(self, keys: Iterable[str]) -> str:
        """What lifts a *never* or an *only*: legal grounds, purposes, recipients, or consent."""
        legal = self.policy.legal
        return self._apart(self.text(legal[key].label) if key in legal else self._choice(key) for key in keys)

    def _apart(self, words: Iterable[str]) -> str:
        return str(self.words.tree["apart"]).join(words)

    def duration(self, span: Period | timedelta) -> str:
        """A period as it is written: ``24 months``; any other length of time in the largest unit that needs no fraction."""
        count, unit = (span.number, span.unit) if isinstance(span, Period) else _whole(span)
        one, many = self.words.tree["units"][unit]
        return str(self.words.tree["unit form"]).format(n=count, unit=one if count == 1 else many)

    def date(self, day: date) -> str:
        """``25 May 2018``"""
        return format_date(day, "long", locale=self.words.locale)

    def country(self, code: str) -> str:
        """The country as it stands in a sentence: ``the United States``; the code when it has no name."""
        return str(self.words.tree["phrases"]["countries"].get(code) or self.territory(code))

    def territory(self, code: str) -> str:
        """The country's bare name, for lists."""
        return str(self.words.locale.territories.get(code, code))

    def countries(self, codes: Iterable[str]) -> str:
        """Names of countries, in a list."""
        return self.every(self.country(code) for code in codes)


_SPOKEN = (
    *(
        "operator",
        "phrase",
        "phrases",
        "text",
        "texts",
        "roles",
        "sentence",
        "every",
        "either",
        "fields",
        "data",
        "purposes",
        "recipients",
    ),
    *("points", "people", "choices", "exceptions", "duration", "date", "country", "countries"),
)


def _whole(span: timedelta) -> tuple[int, str]:
    unit, size = next(((u, s) for u, s in _UNITS if span >= s and span % s == timedelta(0)), _UNITS[-1])
    return span // size, unit


def capital(words: str) -> str:
    """``words`` with a capital first letter."""
    return words[:1].upper() + words[1:]
