"""The operator's own programs, and how they show who they are.

What could go wrong: a token guessed, or compared letter by letter so that the time tells how much of it was right; a program
of one site let in at another; a program that reads for whatever it likes. So each program has a token of its own in the
environment, long enough that nobody guesses it; tokens are compared as digests, all of a site's every time; and each program
reads for the purposes that ``site.yaml`` names for it, in one role, as far as the policy allows that role.

Whoever keeps coming with wrong tokens is told to wait, for a minute, all of them together: no address is remembered. Right
tokens are let in all the while, so that nobody locks a program out by guessing.
"""

from __future__ import annotations

import hmac
import os
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock
from typing import NoReturn

from litestar.exceptions import NotAuthorizedException, TooManyRequestsException

from troth.errors import PolicyError
from troth.people.vault import By
from troth.store.site import Site

SHORTEST = 32
"""characters of a token: 128 bits in hexadecimal"""
WRONG_AT_MOST = 20
WITHIN = timedelta(minutes=1)
_ASKING = {"WWW-Authenticate": "Bearer"}


@dataclass(frozen=True, slots=True)
class Program:
    """A program that may read: as whom, and for which purposes."""

    name: str
    by: By
    purposes: frozenset[str]


class Door:
    """Who may come in at one site."""

    def __init__(self, site: Site, environment: Mapping[str, str] = os.environ) -> None:
        """Read the tokens of the site's programs.

        Raises:
            PolicyError: when a token is missing, too short, or that of another program.
        """
        self._clock = site.clock
        self._known: dict[bytes, Program] = {}
        self._wrong: deque[datetime] = deque(maxlen=WRONG_AT_MOST)
        self._lock = Lock()
        for name, wired in site.wiring.programs.items():
            digest = _digest(_token(name, wired.token_env, environment))
            if digest in self._known:
                raise PolicyError(f"The programs `{name}` and `{self._known[digest].name}` share a token.", _HINT)
            self._known[digest] = Program(
                name, By("staff" if wired.role else "program", role=wired.role), frozenset(wired.purposes)
            )

    def admit(self, authorization: str) -> Program:
        """The program whose token stands in the header ``authorization``.

        Raises:
            NotAuthorizedException: when it is none of this site's.
            TooManyRequestsException: when that happened too often within the last minute.
        """
        scheme, _, token = authorization.partition(" ")
        digest = _digest(token.strip() if scheme.lower() == "bearer" else "")
        matches = [program for known, program in self._known.items() if hmac.compare_digest(known, digest)]
        if matches:
            return matches[0]
        self.refuse()

    def refuse(self) -> NoReturn:
        """Turn away whoever came with a token that is none of this site's.

        Raises:
            NotAuthorizedException, TooManyRequestsException: as ``admit`` does.
        """
        if self._too_often():
            raise TooManyRequestsException(headers={"Retry-After": str(int(WITHIN.total_seconds()))})
        raise NotAuthorizedException(headers=_ASKING)

    def _too_often(self) -> bool:
        now = self._clock.now()
        with self._lock:
            often = len(self._wrong) == WRONG_AT_MOST and now - self._wrong[0] < WITHIN
            if not often:
                self._wrong.append(now)
        return often


_HINT = "Give each a random token of its own, such as `openssl rand -hex 32` makes."


def _token(name: str, variable: str, environment: Mapping[str, str]) -> str:
    token = environment.get(variable, "")
    if not token:
        raise PolicyError(f"The environment variable {variable}, named in site.yaml for `{name}`, is not set.", _HINT)
    if len(token) < SHORTEST or not token.isascii() or any(map(str.isspace, token)):
        raise PolicyError(f"The token in {variable} must be {SHORTEST} visible ASCII characters or more.", _HINT)
    return token


def _digest(token: str) -> bytes:
    return sha256(token.encode(errors="replace")).digest()
