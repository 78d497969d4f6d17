"""People who register at the small shop, and are erased, before it is restored."""

from tests.fixtures import days
from tests.submissions import REGISTER, sent
from troth.collection import collect
from troth.retention.ending import begin_ending
from troth.store.site import Site

WHY = {"because": "the disk failed", "by": "engineer"}


def register(site: Site, count: int, first: int = 0) -> list[str]:
    return [
        collect(site, sent(REGISTER, f"register-{number}", email=f"ann{number}@shop.example")).person_id
        for number in range(first, first + count)
    ]


def erase(site: Site, person_id: str, by: float = 0) -> str:
    with site.writing() as conn:
        return begin_ending(site, conn, person_id, "request:01ke6xqg800123456789abcdef", site.now() + days(by))
