"""The published versions of a site's policy, as the pages need them: in order, checked, and in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from litestar.exceptions import NotFoundException
from sqlalchemy import select

from troth.policy.check import Checked, check_texts
from troth.policy.compile import Compiled
from troth.policy.notice import Notice, notice
from troth.store import versions
from troth.store.site import Site
from troth.store.tables import policy_version


@dataclass(frozen=True)
class Edition:
    """One published version."""

    version: int
    effective_at: datetime
    published_at: datetime
    policy: str
    decisions: str

    @property
    def taken_back(self) -> bool:
        """Whether it was published and then taken back before it took effect."""
        return self.effective_at == versions.NEVER

    @property
    def compiled(self) -> Compiled:
        """The version, ready to run."""
        return versions.archived(self.policy, self.decisions)

    def notice(self, tag: str, at: datetime) -> Notice:
        """The notice of this version in the language ``tag``, as it reads at ``at``."""
        return _notice(self.policy, self.decisions, tag, at.replace(hour=0, minute=0, second=0, microsecond=0))


def editions(site: Site) -> list[Edition]:
    """All published versions, newest first: by their effect, and those that were taken back by when they were published."""
    columns = [policy_version.c[name] for name in ("version", "effective_at", "published_at", "policy", "decisions")]
    with site.reading() as conn:
        found = [Edition(*row) for row in conn.execute(select(*columns))]
    return sorted(found, key=lambda one: (one.published_at if one.taken_back else one.effective_at, one.version))[::-1]


def in_force(found: list[Edition], at: datetime) -> Edition:
    """The one in force at ``at``; the next one when none is yet. Raises ``NotFoundException`` when nothing is published."""
    if not found:
        raise NotFoundException
    return next((one for one in found if one.effective_at <= at), found[-1])


def numbered(found: list[Edition], version: int) -> Edition:
    """The one with this number. Raises ``NotFoundException``."""
    edition = next((one for one in found if one.version == version), None)
    if edition is None:
        raise NotFoundException
    return edition


def before(found: list[Edition], edition: Edition) -> Edition | None:
    """The version that ``edition`` followed; None for the first."""
    return next((one for one in found[found.index(edition) + 1 :] if not one.taken_back), None)


@lru_cache(maxsize=64)
def _notice(policy: str, decisions: str, tag: str, day: datetime) -> Notice:
    return notice(versions.archived(policy, decisions), tag, day, _checked(policy, decisions))


@lru_cache(maxsize=32)
def _checked(policy: str, decisions: str) -> Checked:
    return check_texts(policy, decisions)
