"""Which language is answered in, and how numbers and times read in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server import i18n

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("account", "cookie", "header", "locale"),
    [
        ("en", "zh-CN", "zh", "en"),
        (None, "en", "zh", "en"),
        (None, "fr", "zh", "zh-CN"),
        (None, None, "zh-TW,en;q=0.5", "zh-CN"),
        (None, None, "de, en;q=0.9, zh;q=0.8", "en"),
        (None, None, "fr, de", "en"),
        (None, None, "", "zh-CN"),
        (None, None, None, "zh-CN"),
        (None, None, "zh;q=0, en", "en"),
        (None, None, "*;q=x,;;=", "en"),
    ],
)
def test_the_account_decides_then_the_cookie_then_the_browser(
    account: str | None, cookie: str | None, header: str | None, locale: str
) -> None:
    """And whatever a header holds, there is an answer."""
    assert locale == i18n.choose(account, cookie, header)


@pytest.mark.parametrize(
    ("count", "chinese", "english"),
    [
        (0, "0", "0"),
        (999, "999", "999"),
        (1240, "1,240", "1,240"),
        (12_345, "1.2万", "12K"),
        (20_000, "2万", "20K"),
        (1_234_567, "123万", "1.2M"),
        (320_000_000, "3.2亿", "320M"),
    ],
)
def test_long_counts_are_short(count: int, chinese: str, english: str) -> None:
    """There is one small slot for them under each post."""
    assert (chinese, english) == (i18n.number("zh-CN", count), i18n.number("en", count))


@pytest.mark.parametrize(
    ("passed", "chinese", "english"),
    [
        (timedelta(seconds=-5), "刚刚", "now"),
        (timedelta(minutes=3), "3分钟", "3m"),
        (timedelta(hours=5), "5小时", "5h"),
        (timedelta(days=6), "6天", "6d"),
        (timedelta(days=8), "11月16日", "Nov 16"),
        (timedelta(days=400), "2025年10月20日", "Oct 20, 2025"),
    ],
)
def test_times_are_relative_for_a_week(passed: timedelta, chinese: str, english: str) -> None:
    """Then they are days."""
    assert (chinese, english) == (i18n.ago("zh-CN", NOW - passed, NOW), i18n.ago("en", NOW - passed, NOW))
