"""What the client makes of servers that are not what they should be: real sockets, wrong answers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from scanner import client as client_module
from scanner.client import NodeClient, checked_address
from scanner.errors import NodeError, NodeUnreachable
from tests.support.ports import free_port


@contextmanager
def server(status=200, body=b"{}", headers=(), slowly=None) -> Iterator[tuple[str, list]]:
    """A server that answers everything alike; its address, and the headers it was sent."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(dict(self.headers))
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            if slowly is None:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if slowly is None:
                self.wfile.write(body)
                return
            while not done.wait(slowly):
                self.wfile.write(b" ")

        do_POST = do_GET

        def log_message(self, *_):
            pass

    done = threading.Event()
    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.daemon_threads = True
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{found.server_port}", asked
    finally:
        done.set()
        found.shutdown()
        found.server_close()


def test_the_token_is_sent_whatever_a_netrc_says(tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with server() as (url, asked):
        NodeClient(url, "pp_secret").get_json("/x")
    assert asked[0]["Authorization"] == "Bearer pp_secret"


def test_a_node_that_is_not_there_is_unreachable():
    with pytest.raises(NodeUnreachable) as error:
        NodeClient(f"http://127.0.0.1:{free_port()}").get_json("/x")
    assert "Nothing was decided about what you scanned" in error.value.message
    assert error.value.exit_status == 3


def test_an_answer_that_drips_is_given_up_in_time():
    with server(slowly=0.05) as (url, _), pytest.raises(NodeUnreachable, match="in time"):
        NodeClient(url, answer_timeout_s=0.5).get_json("/x")


def test_an_answer_that_stops_in_the_middle_is_none():
    stuck = server(headers=[("Content-Length", "500")], slowly=60)
    with stuck as (url, _), pytest.raises(NodeUnreachable, match="in time"):
        NodeClient(url, answer_timeout_s=0.3).get_json("/x")


def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(client_module, "MOST_ANSWER_BYTES", 1000)
    with server(body=b"x" * 2000) as (url, _), pytest.raises(NodeError, match="more than any answer"):
        NodeClient(url).get_json("/x")


def test_a_redirect_is_not_followed_with_the_token():
    with server() as (other, asked), server(302, headers=[("Location", other)]) as (url, _):
        with pytest.raises(NodeError) as error:
            NodeClient(url, "pp_secret").get_json("/x")
        assert error.value.status == 302
    assert asked == []


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_no_answer(body):
    with server(body=body) as (url, _), pytest.raises(NodeError) as error:
        NodeClient(url).get_json("/x")
    assert error.value.code == "node-answer"


def test_a_problem_is_told_in_the_nodes_words_with_its_code():
    body = (
        b'{"code": "key.revoked", "title": "This key was revoked", "detail": "Dock 3", "next": "Enrol anew."}'
    )
    with server(403, body) as (url, _), pytest.raises(NodeError) as error:
        NodeClient(url).get_json("/x")
    assert (error.value.status, error.value.problem, error.value.exit_status) == (403, "key.revoked", 2)
    assert "This key was revoked. Dock 3. Enrol anew" in error.value.message


def test_a_node_that_cannot_answer_now_is_as_good_as_away():
    body = b'{"code": "capture.stopped", "title": "This node takes nothing in now"}'
    with server(503, body) as (url, _), pytest.raises(NodeError) as error:
        NodeClient(url).get_json("/x")
    assert error.value.exit_status == 3


@pytest.mark.parametrize(
    "address", ["https://packproof.example/", "http://127.0.0.1:8000", "http://localhost:1/n"]
)
def test_addresses_that_are_taken(address):
    assert checked_address(address) == address.rstrip("/")


def test_plain_http_is_taken_where_somebody_says_so():
    assert checked_address("http://node.lan", plain_http=True) == "http://node.lan"
