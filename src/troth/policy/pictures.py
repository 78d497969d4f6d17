from __future__ import annotations
def pictures(compiled, speaker): return {}
