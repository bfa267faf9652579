"""Settings: read strictly, refused in production where only development may have them, each explained on its page."""

import re
from dataclasses import FrozenInstanceError, fields

import pytest

from app.config import DEVELOPMENT_SECRET, Settings, SettingsError, variable
from tests.support.shared import ROOT

PRODUCTION = {
    "PACKPROOF_ENVIRONMENT": "production",
    "PACKPROOF_SECRET_KEY": "s" * 32,
    "PACKPROOF_PUBLIC_URL": "https://node.example",
    "PACKPROOF_LEDGER_ORIGIN": "node.example/ledger",
}


def test_an_empty_environment_gives_the_defaults():
    assert Settings.from_env({"PATH": "/bin", "HOME": "/"}) == Settings()


def test_every_setting_is_read_from_its_variable():
    found = Settings.from_env({**PRODUCTION, "PACKPROOF_SESSION_HOURS": "3", "PACKPROOF_LOG_LEVEL": "error"})
    assert (found.environment, found.session_hours, found.log_level) == ("production", 3, "error")


def test_an_unknown_name_is_an_error_and_says_where_the_list_is():
    with pytest.raises(
        SettingsError, match=r"PACKPROOF_MAX_BODY: no such setting; docs/reference/settings\.md"
    ):
        Settings.from_env({"PACKPROOF_MAX_BODY": "1"})


@pytest.mark.parametrize("name", ["PACKPROOF_SHARED", "PACKPROOF_SCAN_NODE", "PACKPROOF_TEST_CHROMIUM"])
def test_names_of_the_scanner_and_the_tests_are_left_alone(name):
    assert Settings.from_env({name: "x"}) == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "prod"),
        ("MAX_BODY_BYTES", "-1"),
        ("MAX_BODY_BYTES", "1e6"),
        ("MAX_BODY_BYTES", "٣٣٣٣"),
        ("MAX_BODY_BYTES", ""),
        ("SESSION_HOURS", "0"),
        ("TRUSTED_PROXIES", "6"),
        ("PUBLIC_URL", "node.example"),
        ("PUBLIC_URL", "ftp://node.example"),
        ("LEDGER_ORIGIN", "two words"),
        ("LEDGER_ORIGIN", "a+b"),
        ("LOG_LEVEL", "INFO"),
        ("KEY_PASSPHRASE", "two\nlines"),
    ],
)
def test_a_value_that_does_not_fit_names_its_variable(name, value):
    with pytest.raises(SettingsError, match=f"PACKPROOF_{name}: takes"):
        Settings.from_env({f"PACKPROOF_{name}": value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", DEVELOPMENT_SECRET),
        ("SECRET_KEY", "short"),
        ("PUBLIC_URL", "http://node.example"),
        ("LEDGER_ORIGIN", "packproof.example/development"),
    ],
)
def test_production_refuses_what_only_development_may_use(name, value):
    Settings.from_env(PRODUCTION)
    with pytest.raises(SettingsError, match=f"PACKPROOF_{name}"):
        Settings.from_env(PRODUCTION | {f"PACKPROOF_{name}": value})
    with pytest.raises(SettingsError, match="PACKPROOF_SECRET_KEY"):
        Settings.from_env(
            {name: value for name, value in PRODUCTION.items() if name != "PACKPROOF_SECRET_KEY"}
        )


def test_the_nodes_keys_have_one_passphrase():
    one, other = {"PACKPROOF_KEY_PASSPHRASE": "hush"}, {"PACKPROOF_KEY_PASSPHRASE_FILE": "/run/secrets/keys"}
    assert Settings.from_env(one).key_passphrase == "hush"
    assert Settings.from_env(other).key_passphrase_file is not None
    with pytest.raises(SettingsError, match="set one of them"):
        Settings.from_env(one | other)


def test_settings_are_frozen_and_do_not_print_their_secrets():
    secrets = {"DATABASE_URL": "postgresql://me:hush@db/node", "KEY_PASSPHRASE": "hushed"}
    found = Settings.from_env(PRODUCTION | {f"PACKPROOF_{name}": text for name, text in secrets.items()})
    with pytest.raises(FrozenInstanceError):
        found.environment = "development"
    assert "hush" not in repr(found)
    assert "s" * 32 not in repr(found)


def test_the_page_has_one_heading_for_each_setting_with_its_words_and_its_default():
    page = (ROOT / "docs/reference/settings.md").read_text()
    sections = dict(re.findall(r"^## (\S+)\n\n(.*?)(?=^## |\Z)", page, re.M | re.S))
    assert list(sections) == [variable(item) for item in fields(Settings)]
    for item in fields(Settings):
        section = sections[variable(item)]
        assert item.metadata["doc"] in section, item.name
        if item.name != "secret_key":
            default = "none" if item.default in (None, "") else f"`{item.default}`"
            assert f"Default: {default}." in section, item.name
