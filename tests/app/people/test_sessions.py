"""Sessions: what the cookie is, when it stops opening anything, and what signing in does to what was there before."""

from datetime import timedelta

from sqlalchemy import update

from app.config import Settings
from app.people.models import user_account
from app.shared.actor import Role
from app.shared.ids import digest
from tests.support.app import OPERATOR, PASSWORD

COOKIE = "packproof"


def open_to(visitor):
    return visitor.get("/").status_code == 200


def test_the_database_holds_the_secrets_digest_alone(node):
    node.person("mia", Role.PHARMACIST)
    visitor = node.sign_in("mia")
    secret = visitor.client.get_cookie(COOKIE).value
    assert len(secret) == 43  # 256 bits
    with node.services.database.reading() as connection:
        row = connection.exec_driver_sql("SELECT * FROM web_session").mappings().one()
    assert bytes(row["secret_hash"]) == digest(secret)
    assert not any(secret in str(value) for value in row.values())


def test_a_session_ends_when_nobody_uses_it(node):
    node.person("mia", Role.PHARMACIST)
    visitor = node.sign_in("mia")
    for _ in range(4):
        node.clock.advance(timedelta(minutes=29))
        assert open_to(visitor)
    node.clock.advance(timedelta(minutes=31))
    assert not open_to(visitor)


def test_a_session_ends_after_twelve_hours_however_busy(sqlite_node):
    sqlite_node.person("mia", Role.PHARMACIST)
    visitor = sqlite_node.sign_in("mia")
    for _ in range(12 * 3 - 1):
        sqlite_node.clock.advance(timedelta(minutes=20))
        assert open_to(visitor)
    sqlite_node.clock.advance(timedelta(minutes=20))
    assert not open_to(visitor)


def test_signing_out_ends_the_session_even_for_who_kept_the_cookie(node):
    node.person("mia", Role.PHARMACIST)
    visitor, thief = node.sign_in("mia"), node.visitor()
    thief.client.set_cookie(COOKIE, visitor.client.get_cookie(COOKIE).value)
    assert open_to(thief)
    visitor.post("/sign-out", form="/")
    assert visitor.client.get_cookie(COOKIE) is None
    assert not open_to(thief)


def test_a_cookie_planted_before_signing_in_opens_nothing_after_it(sqlite_node):
    sqlite_node.person("mia", Role.PHARMACIST)
    planted = "A" * 43
    victim, attacker = sqlite_node.visitor(), sqlite_node.visitor()
    victim.client.set_cookie(COOKIE, planted)
    attacker.client.set_cookie(COOKIE, planted)
    assert victim.sign_in("mia").status_code == 303
    assert victim.client.get_cookie(COOKIE).value != planted
    assert open_to(victim)
    assert not open_to(attacker)


def test_signing_in_again_ends_the_session_that_was_there(sqlite_node):
    sqlite_node.person("mia", Role.PHARMACIST)
    visitor, other = sqlite_node.sign_in("mia"), sqlite_node.visitor()
    first = visitor.client.get_cookie(COOKIE).value
    other.client.set_cookie(COOKIE, first)
    data = {"name": "mia", "password": PASSWORD, "csrf_token": visitor.token("/")}
    assert visitor.client.post("/sign-in", data=data).status_code == 303
    assert visitor.client.get_cookie(COOKIE).value != first
    assert not open_to(other)


def test_a_form_token_from_before_signing_in_is_worth_nothing_after_it(sqlite_node):
    sqlite_node.person("mia", Role.PHARMACIST)
    visitor = sqlite_node.visitor()
    before = visitor.token()
    visitor.sign_in("mia")
    response = visitor.client.post("/sign-out", data={"csrf_token": before})
    assert response.status_code == 400
    assert open_to(visitor)


def test_disabling_an_account_ends_its_sessions_at_once(node):
    node.person("mia", Role.PHARMACIST)
    node.person("max", Role.PHARMACIST)
    mia, max_ = node.sign_in("mia"), node.sign_in("max")
    node.services.people.disable(OPERATOR, "mia")
    assert not open_to(mia)
    assert open_to(max_)


def test_a_session_that_outlived_its_account_opens_nothing(node):
    user = node.person("mia", Role.PHARMACIST)
    visitor = node.sign_in("mia")
    with node.services.database.writing() as connection:
        closed = (
            update(user_account)
            .where(user_account.c.user_id == user.user_id)
            .values(disabled_at=node.clock.now())
        )
        connection.execute(closed)
    assert not open_to(visitor)


def test_a_new_password_ends_the_sessions_that_the_old_one_opened(sqlite_node):
    sqlite_node.person("mia", Role.PHARMACIST)
    visitor = sqlite_node.sign_in("mia")
    sqlite_node.services.people.set_password(OPERATOR, "mia", "another long walk home")
    assert not open_to(visitor)
    assert sqlite_node.visitor().sign_in("mia").status_code == 401
    assert sqlite_node.visitor().sign_in("mia", "another long walk home").status_code == 303


def test_an_inspectors_account_stops_by_itself_in_the_middle_of_a_session(node):
    node.person("ines", Role.INSPECTOR, expires_at=node.clock.now() + timedelta(minutes=10))
    visitor = node.sign_in("ines")
    assert open_to(visitor)
    node.clock.advance(timedelta(minutes=10))
    assert not open_to(visitor)
    assert node.visitor().sign_in("ines").status_code == 401


def test_cookies_are_out_of_reach_of_scripts_other_sites_and_plain_http(make_app):
    origin = "https://node.example"
    settings = {"secret_key": "s" * 40, "public_url": origin, "ledger_origin": "node.example/ledger"}
    node = make_app(environment="production", **settings)
    node.person("mia", Role.PHARMACIST)
    visitor = node.visitor()
    secure = {"base_url": origin, "headers": {"Accept": "text/html", "Referer": f"{origin}/sign-in"}}
    page = visitor.get("/sign-in", **secure)
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    data = {"name": "mia", "password": PASSWORD, "csrf_token": token}
    response = visitor.client.post("/sign-in", data=data, **secure)
    assert response.status_code == 303
    cookies = [page.headers["Set-Cookie"], *response.headers.getlist("Set-Cookie")]
    assert [cookie.partition("=")[0] for cookie in cookies[:2]] == [
        "__Host-packproof_form",
        "__Host-packproof",
    ]
    for cookie in cookies:
        attributes = {part.strip() for part in cookie.split(";")[1:]}
        assert attributes >= {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"}
        assert not any(part.startswith("Domain") for part in attributes)
    assert "max-age=31536000" in response.headers["Strict-Transport-Security"]


def test_sessions_use_the_settings(make_app):
    node = make_app(session_idle_minutes=2)
    node.person("mia", Role.PHARMACIST)
    visitor = node.sign_in("mia")
    node.clock.advance(timedelta(minutes=2, seconds=1))
    assert not open_to(visitor)
    assert Settings(session_hours=3).session_absolute == timedelta(hours=3)
