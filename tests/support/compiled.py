"""What every node of a test session makes alike is made once: SQL, templates, and the builders of addresses.

A test makes an application and a database of its own. SQLAlchemy keeps compiled statements for each engine, Jinja
compiled templates for each application, and werkzeug compiles two functions for each rule of each application: together
half of what a small test costs. All follow from the statement, the template's text and the rule alone, so a session
may share them. What runs is the same.

The interface's description, most of what making an application takes, is written when somebody asks for it.
"""

from collections.abc import Callable
from types import CodeType
from typing import Any
from weakref import WeakKeyDictionary

from apispec import APISpec
from flask import Flask
from flask.templating import Environment
from flask_smorest import Api, Blueprint
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from ledger.store.sql import engine as opened

_STATEMENTS = 5_000


def share() -> None:
    """Share them from now on, in this process."""
    _share_statements()
    _share_templates()
    _share_builders()
    _describe_when_asked()


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


class _Templates(BytecodeCache):
    """Templates by name, by the digest of their text, and by how the environment reads them."""

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._made.get(self._key(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._made[self._key(bucket)] = bucket.code

    def _key(self, bucket: Bucket) -> tuple[object, ...]:
        read = bucket.environment
        return bucket.key, bucket.checksum, read.trim_blocks, read.lstrip_blocks


def _share_templates() -> None:
    made = _Templates()
    create_environment = Flask.create_jinja_environment

    def create_jinja_environment(self: Flask) -> Environment:
        environment = create_environment(self)
        environment.bytecode_cache = made
        return environment

    Flask.create_jinja_environment = create_jinja_environment  # type: ignore[method-assign]


def _share_builders() -> None:
    made: dict[tuple[Any, ...], Callable[..., Any]] = {}
    compile_builder = Rule._compile_builder

    def _compile_builder(self: Rule, append_unknown: bool = True) -> Callable[..., Any]:
        key = (tuple(self._trace), tuple(sorted(self.arguments)), repr(self.defaults), append_unknown)
        if key not in made:
            made[key] = compile_builder(self, append_unknown)
        return made[key]

    Rule._compile_builder = _compile_builder  # type: ignore[method-assign]


def _describe_when_asked() -> None:
    describe, tell = Blueprint.register_views_in_doc, APISpec.to_dict
    waiting: WeakKeyDictionary[APISpec, list[Callable[[], None]]] = WeakKeyDictionary()

    def register_views_in_doc(self: Blueprint, api: Api, app: Flask, spec: APISpec, **named: Any) -> None:
        waiting.setdefault(spec, []).append(lambda: describe(self, api, app, spec, **named))

    def to_dict(self: APISpec) -> dict[str, Any]:
        for each in waiting.pop(self, ()):
            each()
        return tell(self)

    Blueprint.register_views_in_doc = register_views_in_doc  # type: ignore[method-assign]
    APISpec.to_dict = to_dict  # type: ignore[method-assign]
