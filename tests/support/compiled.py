"""What every node of a test session compiles alike is compiled once: SQL statements, and the builders of addresses.

A test makes an application and a database of its own. SQLAlchemy keeps compiled statements for each engine, and
werkzeug compiles two functions for each rule of each application: together a third of what a small test costs. Both
follow from the statement and the rule alone, so a session may share them. What runs is the same.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from ledger.store.sql import engine as opened

_STATEMENTS = 5_000


def share() -> None:
    """Share them from now on, in this process."""
    _share_statements()
    _share_builders()


def _share_statements() -> None:
    caches: dict[type, Any] = {}
    make = opened.create_engine

    def create_engine(*arguments: Any, **options: Any) -> Any:
        made = make(*arguments, **options)
        made._compiled_cache = caches.setdefault(type(made.dialect), LRUCache(_STATEMENTS))
        return made

    opened.create_engine = create_engine
    # A compiled statement is kept under the dialect that it is for, and each engine has one of its own.
    DefaultDialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
    DefaultDialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]


def _share_builders() -> None:
    made: dict[tuple[Any, ...], Callable[..., Any]] = {}
    compile_builder = Rule._compile_builder

    def _compile_builder(self: Rule, append_unknown: bool = True) -> Callable[..., Any]:
        key = (tuple(self._trace), tuple(sorted(self.arguments)), repr(self.defaults), append_unknown)
        if key not in made:
            made[key] = compile_builder(self, append_unknown)
        return made[key]

    Rule._compile_builder = _compile_builder  # type: ignore[method-assign]
