"""One spelling for one host, and nobody speaks for another's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from compliance.activity import Uri
from federation import origin
from federation.errors import Malformed, NotTrusted

SAME = [
    ("https://example.com/a", "https://example.com/a"),
    ("HTTPS://example.com/a", "https://example.com/a"),
    ("https://EXAMPLE.com/A", "https://example.com/A"),
    ("https://example.com:443/a", "https://example.com/a"),
    ("https://example.com:/a", "https://example.com/a"),
    ("https://example.com:0443/a", "https://example.com/a"),
    ("https://example.com./a", "https://example.com/a"),
    ("https://example.com.:8443/a", "https://example.com:8443/a"),
    ("http://example.com:80/a", "http://example.com/a"),
    ("http://example.com:443/a", "http://example.com:443/a"),
    ("https://example.com:80/a", "https://example.com:80/a"),
    ("https://example.com", "https://example.com"),
    ("https://example.com?q=1", "https://example.com?q=1"),
    ("https://example.com#main-key", "https://example.com#main-key"),
    ("https://example.com/%7Eann?x=%20y", "https://example.com/%7Eann?x=%20y"),
    ("https://example.com/微博", "https://example.com/微博"),
    ("https://例え.テスト/a", "https://xn--r8jz45g.xn--zckzah/a"),
    ("https://bücher.example/", "https://xn--bcher-kva.example/"),
    ("https://BÜCHER.example/", "https://xn--bcher-kva.example/"),
    ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
    ("https://faß.example/", "https://xn--fa-hia.example/"),
    ("https://ｅｘａｍｐｌｅ.com/", "https://example.com/"),
    ("https://example。com/", "https://example.com/"),
    ("https://ex_ample.com/", "https://ex_ample.com/"),
    ("https://127.0.0.1:9001/a", "https://127.0.0.1:9001/a"),
    ("http://①②⑦.0.0.1/", "http://127.0.0.1/"),
    ("https://[::1]:8443/", "https://[::1]:8443/"),
    ("https://[2001:DB8:0:0::1]/", "https://[2001:db8::1]/"),
    ("https://[::ffff:7f00:1]/", "https://[::ffff:7f00:1]/"),
]

REFUSED = [
    "",
    "example.com",
    "//example.com/a",
    "ftp://example.com/a",
    "javascript:alert(1)",
    "https:/example.com/a",
    "https:///a",
    "https://",
    "https://user@example.com/",
    "https://user:pass@example.com/",
    "https://good.example@evil.example/",
    "https://good.example\\@evil.example/",
    "https://example.com\\.evil.example/",
    "https://example.com\n.evil.example/",
    "https://example.com\t/",
    " https://example.com/",
    "https://example.com/ a",
    "https://exam ple.com/",
    "https://example.com/\x00",
    "https://example.com/<script>",
    "https://example..com/",
    "https://.example.com/",
    "https://example.com../",
    "https://-example.com/",
    "https://example.com:99999/",
    "https://example.com:0/",
    "https://example.com:80:80/",
    "https://example.com:+80/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://127.0.0.0x1/",
    "https://1.2.3.4.5/",
    "https://[::1/",
    "https://::1/",
    "https://[fe80::1%25eth0]/",
    "https://[::1]evil.example/",
    "https://ex%61mple.com/",
    "https://xn--a/",
    "https://a\u200db.example/",
    "https://example.com/\ud800",
    "https://" + "a" * 64 + ".example/",
    "https://example.com/" + "a" * 2048,
]


@pytest.mark.parametrize(("spelled", "normal"), SAME)
def test_one_host_has_one_spelling(spelled: str, normal: str) -> None:
    """Two spellings of one host must not be two origins."""
    assert normal == origin.uri(spelled)
    assert normal == origin.uri(normal)


@pytest.mark.parametrize("spelled", REFUSED)
def test_what_could_be_read_in_two_ways_is_refused(spelled: str) -> None:
    """A host that two parsers read differently is how one server passes for another."""
    with pytest.raises(Malformed):
        origin.uri(spelled)
    assert origin.find_uri(spelled) is None


@given(st.text(max_size=60).map(lambda text: f"https://{text}") | st.text(max_size=60))
def test_whatever_is_accepted_leads_to_the_host_it_names(text: str) -> None:
    """yarl opens the connections: it must agree with us about where."""
    found = origin.find_uri(text)
    if found is not None:
        url = URL(found)
        assert origin.host_of(found) == origin.host(f"{url.host_subcomponent}:{url.port}", url.scheme)
        assert origin.uri(found) == found


def test_nobody_speaks_for_another_origin() -> None:
    """Scheme, host and port make an origin; a prefix does not."""
    ann = Uri("https://home.example/users/ann")
    origin.require_speaks_for(ann, Uri("https://home.example/posts/1"))
    for other in (
        "http://home.example/posts/1",
        "https://home.example:8443/posts/1",
        "https://home.example.evil.example/posts/1",
        "https://evil.example/home.example",
    ):
        with pytest.raises(NotTrusted):
            origin.require_speaks_for(ann, Uri(other))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://home.example/@ann/1", "https://home.example/@ann/1"),
        ("https://other.example/@ann/1", "https://home.example/posts/1"),
        ("javascript:alert(1)", "https://home.example/posts/1"),
        (["https://home.example/@ann/1"], "https://home.example/posts/1"),
        (None, "https://home.example/posts/1"),
    ],
)
def test_a_link_leads_to_the_origin_that_it_is_shown_for(url: object, shown: str) -> None:
    """A post's `url` must not take a reader to another site, or run a script."""
    assert shown == origin.shown_url(url, Uri("https://home.example/posts/1"))
