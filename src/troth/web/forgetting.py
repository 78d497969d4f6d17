"""What people send is forgotten when it is answered: the framework's memory of it is taken away.

What could go wrong: Litestar keeps the last thousand bodies of forms, cookies, queries and addresses that it took apart, to be
quicker when the same comes again. So passwords, codes, card numbers, session cookies and the secrets in links stay in the
process in clear, long after the answer and into any dump of its memory; and two who send the same share one dict, which a
handler that changes it changes for both. What that saves is microseconds. So every cached function of the framework is put
back to what it was before it was cached, wherever a module has it under its name; a test sends a secret in each of these ways
and looks for it in every cache of the process, those of a newer framework included.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from types import ModuleType
from typing import Any

from litestar import Litestar

_FRAMEWORK = "litestar"
_Cached: Any = type(lru_cache(maxsize=1)(len))


def remember_nothing() -> None:
    """Replace the cached functions of the framework, in all of its modules that are loaded; before an app is made."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == _FRAMEWORK:
            _uncache(module)


def _uncache(module: ModuleType) -> None:
    for name, one in list(vars(module).items()):
        if isinstance(one, _Cached):
            setattr(module, name, one.__wrapped__)
        elif isinstance(one, type) and one.__module__ == module.__name__:
            _uncache_class(one)


def _uncache_class(kind: type) -> None:
    for name, one in list(vars(kind).items()):
        if isinstance(one, _Cached):
            setattr(kind, name, one.__wrapped__)
        elif isinstance(one, classmethod | staticmethod) and isinstance(one.__func__, _Cached):
            setattr(kind, name, type(one)(one.__func__.__wrapped__))


def route_without_memory(app: Litestar) -> None:
    """As ``remember_nothing``, for the addresses that ``app`` itself remembers."""
    router: Any = app.asgi_router
    router.handle_routing = router.handle_routing.__wrapped__
