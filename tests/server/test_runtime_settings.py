from pathlib import Path

import pytest

from server.settings import ENTRIES, AllowedPeer, Settings, SettingsError, parse_allow_insecure, warnings
from server.sources import load


def _settings(folder: Path, **environ: str) -> Settings:
    return load({"YANLU_DATA": str(folder), **environ}).settings


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(tmp_path: Path) -> None:
    """Three operators can tell three places; each must know which one counts."""
    (tmp_path / "yanlu.toml").write_text('[server]\nhost = "0.0.0.0"\nport = 1\nworkers = 1\n')
    loaded = load(
        {"YANLU_DATA": str(tmp_path), "YANLU_SERVER_PORT": "2"}, arguments={"server.port": 3, "data": None}
    )
    assert ("0.0.0.0", 3, 1) == (
        loaded.settings.server.host,
        loaded.settings.server.port,
        loaded.settings.server.workers,
    )
    assert ("yanlu.toml", "command line", "environment", "default") == (
        loaded.sources["server.host"],
        loaded.sources["server.port"],
        loaded.sources["data"],
        loaded.sources["posts.max_chars"],
    )


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"YANLU_FEDERATION_ALOW_INSECURE": "x"}, "Did you mean YANLU_FEDERATION_ALLOW_INSECURE?"),
        ({"YANLU_XYZZY": "x"}, "YANLU_XYZZY: no such setting."),
        ({"YANLU_SERVER_PORT": "many"}, "YANLU_SERVER_PORT: "),
        ({"YANLU_SERVER_PORT": "70000"}, "YANLU_SERVER_PORT: "),
        ({"YANLU_ENV": "prod"}, "YANLU_ENV: must be one of development, production"),
        ({"YANLU_ORIGIN": "yanlu.example"}, "origin: expected an address"),
        ({"YANLU_ORIGIN": "https://yanlu.example/path"}, "origin: expected an address"),
        ({"YANLU_FEDERATION_ALLOW_INSECURE": "127.0.0.1"}, "federation.allow_insecure: expected"),
        ({"YANLU_FEDERATION_ALLOW_INSECURE": "host:80"}, "federation.allow_insecure: expected"),
        ({"YANLU_FEDERATION_ALLOW_INSECURE": "127.0.0.1:9-8"}, "names no possible ports"),
        ({"YANLU_METRICS_LISTEN": "9100"}, "metrics.listen: expected host:port"),
        ({"YANLU_SERVER_TRUSTED_PROXIES": "proxy"}, "server.trusted_proxies: "),
        ({"YANLU_SMS_DRIVER": "http"}, "sms.url: "),
        ({"YANLU_SMS_DRIVER": "alibaba"}, "sms.key_id: is needed with sms.driver = alibaba"),
        ({"YANLU_SMS_TEMPLATE_VALUES": "minutes"}, "sms.template_values: expected code, or code and minutes"),
        ({"YANLU_IDENTITY_CHECKER": "http"}, "identity.checker_url: is needed with identity.checker = http"),
        ({"YANLU_IDENTITY_OIDC_ISSUER": "https://id.example"}, "identity.oidc_client_id: is needed"),
        ({"YANLU_IDENTITY_OIDC_ISSUER": "id.example"}, "identity.oidc_issuer: expected an address"),
        ({"YANLU_IDENTITY_OIDC_CLAIM": "verified"}, "identity.oidc_claim: expected name=value"),
        ({"YANLU_IDENTITY_OIDC_SECRET_FILE": "/no/such"}, "identity.oidc_secret_file: /no/such cannot"),
        ({"YANLU_SMS_TOKEN_FILE": "/no/such/file"}, "sms.token_file: /no/such/file cannot be read"),
        ({"YANLU_FEDERATION_CA_FILE": "/no/such/file"}, "federation.ca_file: /no/such/file cannot be read"),
        ({"YANLU_MAIL_SMTP_URL": "https://mail.example"}, "mail.smtp_url: expected an address"),
        ({"YANLU_DATABASE_URL": "mysql://secret"}, "database.url: expected an address that begins with"),
    ],
)
def test_what_cannot_be_meant_is_an_error(variables: dict[str, str], said: str, tmp_path: Path) -> None:
    """A misspelt setting that is ignored is a server that runs otherwise than its operator thinks."""
    with pytest.raises(SettingsError) as raised:
        _settings(tmp_path, **variables)
    assert said in str(raised.value)


def test_a_secret_that_does_not_fit_is_not_repeated(tmp_path: Path) -> None:
    """Error messages end in logs and in questions to others."""
    (tmp_path / "yanlu.toml").write_text("[metrics]\ntoken = 12345678\n")
    with pytest.raises(SettingsError) as raised:
        _settings(tmp_path)
    assert "12345678" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[server]\nprot = 1\n", "line 2: server.prot: no such setting. Did you mean server.port?"),
        ("[sever]\nport = 1\n", "sever: no such setting."),
        ('data = "/elsewhere"\n', "data cannot be set in a file that lies in it"),
        ("[server\n", "yanlu.toml: "),
        ("server = 1\n", "line 1: server: no such setting. It is a section: write [server]"),
        ('# ports\nenv = "development"\n[ server ] # one\n\n"port" = "many"\n', "line 5: server.port: "),
        ("server.port = 70000\n", "line 1: server.port: "),
        ("[server]\nport = [1]\n", "line 2: server.port: "),
    ],
)
def test_the_file_is_read_as_strictly(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "yanlu.toml").write_text(text)
    with pytest.raises(SettingsError) as raised:
        _settings(tmp_path)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"YANLU_FEDERATION_ALLOW_INSECURE": "127.0.0.1:9001"}, "federation.allow_insecure"),
        ({"YANLU_LIMITS_DISABLED": "1"}, "limits.disabled"),
        ({"YANLU_ORIGIN": "http://localhost:8000"}, "origin"),
    ],
)
def test_production_refuses_what_is_only_for_development(
    variables: dict[str, str], said: str, tmp_path: Path
) -> None:
    """A test switch left on in a real server is an open door."""
    origin = {"YANLU_ORIGIN": "https://yanlu.example"}
    with pytest.raises(SettingsError) as raised:
        _settings(tmp_path, YANLU_ENV="production", **(origin | variables))
    assert str(raised.value).startswith(said)


def test_development_warns_of_them(tmp_path: Path) -> None:
    settings = _settings(
        tmp_path,
        YANLU_FEDERATION_ALLOW_INSECURE="127.0.0.1:9001",
        YANLU_LIMITS_DISABLED="1",
        YANLU_LIMITS_POSTS="301",
        YANLU_LIMITS_UPLOADS="1",
    )
    assert ["federation.allow_insecure", "limits.disabled", "limits.posts"] == [
        text.partition(":")[0] for text in warnings(settings)
    ]


def test_peers_are_exact_addresses_with_ports() -> None:
    """A prefix or a bare address would open more than was meant."""
    peers = parse_allow_insecure("127.0.0.1:9001, 127.0.0.2:9002-9100,[::1]:80")
    assert [("127.0.0.1", 9001, 9001), ("127.0.0.2", 9002, 9100), ("::1", 80, 80)] == [
        (str(peer.ip), peer.first_port, peer.last_port) for peer in peers
    ]
    assert all(isinstance(peer, AllowedPeer) for peer in peers)


def test_a_list_in_the_file_is_the_same_as_commas(tmp_path: Path) -> None:
    (tmp_path / "yanlu.toml").write_text('[federation]\nallow_insecure = ["127.0.0.1:1", "127.0.0.1:2"]\n')
    assert _settings(tmp_path).federation.allow_insecure == "127.0.0.1:1,127.0.0.1:2"


@pytest.mark.parametrize(
    ("port", "origin", "expected"),
    [
        ("8000", "", "http://localhost:8000"),
        ("9000", "", "http://localhost:9000"),
        ("9000", "HTTPS://Yanlu.Example:443/", "https://yanlu.example"),
        ("9000", "http://[::1]:9000", "http://[::1]:9000"),
    ],
)
def test_the_origin_is_normal_and_follows_the_port(
    port: str, origin: str, expected: str, tmp_path: Path
) -> None:
    """Every id of ours starts with it: two spellings would be two servers."""
    assert _settings(tmp_path, YANLU_SERVER_PORT=port, YANLU_ORIGIN=origin).origin == expected


def test_every_setting_has_help_and_a_variable_of_its_own() -> None:
    assert [] == [entry.path for entry in ENTRIES if not entry.help.endswith(".")]
    assert len(ENTRIES) == len({entry.variable for entry in ENTRIES})
