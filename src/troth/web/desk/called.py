"""What the words of a policy and of the program are called on pages of the desk, in the language of the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from troth.policy.acts import LEGAL
from troth.policy.compile import Compiled
from troth.policy.notice.language import Speaker, capital, language
from troth.web.pages import own_name
from troth.web.words import say, words


@dataclass(frozen=True)
class Called:
    """The names of things under one version of the policy and in one language."""

    compiled: Compiled
    tag: str

    @cached_property
    def speaker(self) -> Speaker:
        """The policy's own words."""
        return Speaker(self.compiled.policy, language(self.tag))

    def scope(self, word: str) -> str:
        """A purpose, a legal ground after ``legal:``, or a recipient after ``@``."""
        if word.startswith("@"):
            return say(self.tag, "desk.act_recipient", name=self.speaker.recipient(word[1:]))
        if word.startswith(LEGAL):
            return self.ground(word.removeprefix(LEGAL))
        purpose = self.compiled.policy.purposes.get(word)
        return self.speaker.text(purpose.label) if purpose else word

    def whom(self, word: str) -> str:
        """A recipient; one that a legal case names and the policy does not is called as the case has it."""
        return self.speaker.recipient(word) if word in self.compiled.policy.recipients else word

    def ground(self, word: str) -> str:
        """A ground for keeping or giving; that of an archive is the id of its clock."""
        policy = self.compiled.policy
        if word in policy.legal:
            return self.speaker.text(policy.legal[word].label)
        known = policy.erasure is not None and word in policy.erasure.may_keep
        return self.speaker.phrase("may keep", word) if known else self.plain(word)

    def record(self, word: str) -> str:
        """What a ground needs on record."""
        return capital(self.speaker.phrase("records", word))

    def message(self, word: str) -> str:
        """A class of messages."""
        return self.speaker.text(self.compiled.policy.messages[word].label)

    def people(self, word: str) -> str:
        """A kind of people."""
        return self.speaker.people([word])

    def plain(self, word: str) -> str:
        """A word of the program, such as a kind of dealing or a channel; one that nobody has named stays as it is."""
        return str(words(self.tag)["desk"]["choices"].get(word, word.replace("_", " ")))

    def choices(self, argument: str) -> Callable[[str], str]:
        """What each choice of an argument is called, as it stands in a list."""
        speaker = self.speaker
        ways: Mapping[str, Callable[[str], str]] = {
            "purpose": self.scope, "scope": self.scope, "about": self.scope, "recipient": speaker.recipient,
            "ground": self.ground, "field": speaker.label, "fields": speaker.label, "class": self.message,
            "language": own_name,
        }  # fmt: skip
        way = ways.get(argument, self.plain)
        return lambda word: capital(way(word))
