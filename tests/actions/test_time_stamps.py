"""An authority for time stamps as a witness: asked after the seal, once a period, and believed for the text it stamped."""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

from collections.abc import Callable
from time import perf_counter

import pytest
from sqlalchemy import select

from tests.fixtures import days
from tests.stamping import Authority
from tests.witnessed import authority, of_stamps, sealed, wired  # noqa: F401  (fixtures)
from troth import ledger
from troth.clock import MovedClock
from troth.errors import StoreError, Unverifiable
from troth.ledger import events, heads, witnessed
from troth.ledger.tables import entry
from troth.store.site import Site
from troth.witnessing import ask_all, stamp
from troth.witnessing.given import stamps_of
from troth.work import standing, turn


def test_the_worker_asks_after_the_seal_and_once_a_period(site: Site, clock: MovedClock, authority: Authority) -> None:
    site = of_stamps(site, authority)
    sealed(site, 1)
    done = turn(site)
    assert (done.done["witness"], done.problems) == (1, {})
    [kept] = witnessed.kept(site, "clockmaker")
    with site.reading() as conn:
        told = conn.scalars(select(entry.c.body).where(entry.c.event == events.LEDGER_WITNESSED)).all()
        last = heads.last_checkpoint(conn)
    assert last is not None
    assert (kept.size, kept.root) == (last.size, last.root)
    assert told == [f'{{"root":"{last.root.hex()}","size":{last.size},"witness":"clockmaker"}}']
    assert len(authority.seen) == 1
    assert turn(site).done["witness"] == 0
    clock.move(days(1))
    assert turn(site).done["witness"] == 1
    assert len(authority.seen) == len(witnessed.kept(site, "clockmaker")) == 2
    assert ledger.verify(site).verdict == "whole"


def test_one_that_does_not_answer_in_time_is_an_alarm_and_no_hang(
    site: Site, clock: MovedClock, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = of_stamps(site, authority)
    sealed(site, 1)
    turn(site)
    monkeypatch.setattr(stamp, "SECONDS", 0.3)
    authority.pause = 3.0
    clock.move(days(1))
    begun = perf_counter()
    assert "The witness does not answer" in turn(site).problems["witness"]
    assert perf_counter() - begun < 2.5
    assert turn(site).problems == {}, "it is not asked again at once"
    assert "witness silent" not in {one.kind for one in standing(site)}
    clock.move(days(1) / 24)
    turn(site)
    assert ("witness silent", "clockmaker") in {one.key for one in standing(site)}
    authority.pause = 0.0
    clock.move(days(1) / 24)
    assert turn(site).done["witness"] == 1
    assert "witness silent" not in {one.kind for one in standing(site)}


def test_one_that_never_answered_is_an_alarm_when_it_was_asked(site: Site) -> None:
    site = of_stamps(site, Authority(url="http://127.0.0.1:9/tsr"))
    assert "witness silent" not in {one.kind for one in standing(site)}
    turn(site)
    assert ("witness silent", "clockmaker") in {one.key for one in standing(site)}


def test_an_answer_that_drips_or_is_too_long_is_cut_off(
    site: Site, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = of_stamps(site, authority)
    sealed(site, 1)
    monkeypatch.setattr(stamp, "SECONDS", 0.4)
    authority.drip = 0.05
    begun = perf_counter()
    assert "does not answer within 0.4 seconds" in ask_all(site)[0].problem
    assert perf_counter() - begun < 2.5
    authority.drip, authority.spoil = 0.0, lambda answer: answer + b"x" * stamp.LARGEST
    assert "too much" in ask_all(site)[0].problem
    authority.spoil, authority.status = None, 500
    assert "answered 500" in ask_all(site)[0].problem
    assert witnessed.kept(site, "clockmaker") == ()


def _cut(answer: bytes) -> bytes:
    return answer[:-200]


def _changed(answer: bytes) -> bytes:
    return answer[:-1] + bytes([answer[-1] ^ 1])


@pytest.mark.parametrize("store_kind", ["sqlite"])
@pytest.mark.parametrize("spoil", [_cut, _changed, lambda _: b"", lambda _: b"no stamp"])
def test_what_is_no_stamp_of_this_text_is_not_kept(
    site: Site, authority: Authority, spoil: Callable[[bytes], bytes]
) -> None:
    site = of_stamps(site, authority)
    sealed(site, 1)
    authority.spoil = spoil
    assert "does not verify" in ask_all(site)[0].problem
    assert witnessed.kept(site, "clockmaker") == ()


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_stamp_of_an_earlier_question_or_of_another_authority_is_not_kept(site: Site, authority: Authority) -> None:
    site = of_stamps(site, authority)
    sealed(site, 1)
    authority.other_nonce = True
    assert "Nonce mismatch" in ask_all(site)[0].problem
    authority.other_nonce, authority.root = False, "Another Root"
    assert "does not verify" in ask_all(site)[0].problem
    authority.root = "Root of Time"
    assert ask_all(site)[0].problem == ""
    [note] = witnessed.kept(site, "clockmaker")
    authority.root = "Another Root"
    authority.certificates(site.folder)
    with pytest.raises(Unverifiable, match="does not verify"):
        stamps_of(site, [note])
    (site.folder / "authority.pem").write_text("nothing")
    with pytest.raises(StoreError, match="cannot be read"):
        stamps_of(site, [note])
