"""What an account keeps sealed for its person beside what they gave: the secret of a second factor, an address that waits.

It opens with the person's own key, in the one place it was sealed for, so that it is gone with them, and a row that was moved
to somebody else opens nothing. No purpose is asked for: the room that keeps it uses it for what its person asked for, and hands
it to nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from troth.errors import StoreError
from troth.people.keystore import open_keys
from troth.people.sealing import seal, unseal
from troth.store.site import Site


def seal_kept(site: Site, person_id: str, place: str, values: Mapping[str, str]) -> bytes:
    """``values`` sealed for a person, to be kept at ``place``. Raises ``StoreError`` when the person has no key."""
    return seal(_key(site, person_id), person_id, place, values)


def open_kept(site: Site, person_id: str, place: str, names: Collection[str], body: bytes) -> dict[str, str]:
    """What ``seal_kept`` was given.

    Raises:
        Unverifiable: when the row was altered or belongs elsewhere.
        StoreError: when the person has no key any more.
    """
    return unseal(_key(site, person_id), person_id, place, names, body)


def _key(site: Site, person_id: str) -> bytes:
    key = open_keys(site, [person_id]).get(person_id)
    if key is None:
        raise StoreError("This person has no key: nothing can be sealed or opened.", "They were erased.")
    return key
