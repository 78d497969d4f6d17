"""The keys that seal the days of the visit log; each goes with its day."""

from __future__ import annotations

from troth.people.daykeys import DayKeys
from troth.visits.tables import day_key

_KEYS = DayKeys(day_key)
keys_of, keys_for = _KEYS.keys_of, _KEYS.keys_for
keys_before, destroy_keys_before = _KEYS.keys_before, _KEYS.destroy_keys_before
