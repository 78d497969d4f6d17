"""The notice: what people read, made from the compiled policy and from nothing else.

``parts`` is what it consists of, ``language`` the words of one language, ``topics`` where each promise belongs,
``compose`` puts it together, ``markdown`` writes it down. The words themselves are data, in
``policy/sentences/``: a translator needs no Python.
"""

from troth.policy.notice.compose import notice
from troth.policy.notice.markdown import as_markdown
from troth.policy.notice.parts import Group, Item, Listed, Notice, Origin, Section

__all__ = ["Group", "Item", "Listed", "Notice", "Origin", "Section", "as_markdown", "notice"]
