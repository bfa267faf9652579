"""The page of interfaces names every route that programs use, and no other."""

import re

from app import create_app
from app.config import Settings
from app.errors import kind_of
from tests.support.live import ROOT


def test_the_page_has_each_route_with_its_method():
    page = (ROOT / "docs/reference/api.md").read_text()
    headings = "\n".join(re.findall(r"^## (.*)$", page, re.M))
    documented = set(re.findall(r"(GET|POST) (/[^\s?,[]*)", headings))
    app = create_app(Settings(environment="test"))
    routes = set()
    with app.app_context():
        for rule in app.url_map.iter_rules():
            if kind_of(rule.endpoint.rpartition(".")[0]) == "api" and "openapi" not in rule.rule:
                path = re.sub(r"<(?:\w+:)?capture_id>", "{captureID}", rule.rule)
                path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)
                # Its parts are read from the raw path: a serial may hold any character.
                path = path.replace("/verify{pack}", "/verify/gtin/{gtin}/lot/{lot}/ser/{serial}")
                routes |= {(method, path) for method in rule.methods & {"GET", "POST"}}
    assert documented == routes
