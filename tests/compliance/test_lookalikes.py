"""What looks like a mark, what reads as another name, and the many names that do neither."""

from __future__ import annotations

import time

import pytest

from compliance import lookalikes

MARKED = [
    "张三✓",
    "张三✔",
    "张三✔️",
    "☑️张三",
    "张三 ✅",
    "张三🔵",
    "Ⓥ张三",
    "张三ⓥ",
    "张三🅥",
    "张三🆅",
    "张三 🗸",
    "张三 🗹",
    "张三√",
    "V⃝张三",
    "张三 政⃞",
    "张三企⃣",
    "㊔张三",
    "张三㊣",
    "㊓团",
    "🈸张三",
    "张三🈴",
    "🈁官",
    "张三【政】",
    "[媒]张三",
    "〔企〕张三",
    "［名］张三",
    "张三【機】",
    "Anna :verified:",
    "Anna :verified_blue:",
    "Anna :blue_check:",
    "Anna :bluetick:",
    "Anna :checkmark:",
    "Anna :twitter_verified:",
    "Anna :official:",
    "Anna :is_certified:",
    "Anna :guanfang:",
    "Anna :gold_badge:",
    "Anna :v3rified:",
    "Anna :blue-check:",
    "Anna :tick2:",
    "Anna :guan_fang:",
    "张三\U0001fbb1",
    "张三\U00010102",
    "张三名\ufe0e\u20de",
    "张三〚政〛",
    "张三⁅媒⁆",
]
CLAIMED = [
    "【官方认证】华为",
    "华为(官方)",
    "华为（官方）",
    "华为「官方」",
    "华为《官方账号》",
    "华为【已认证】",
    "华为[平台认证]",
    "华为[微博认证]",
    "华为【實名認證】",
    "华为【官 方】",
    "华为(加V)",
    "华为[蓝V]",
    "华为 官方认证",
    "Acme [Official]",
    "Acme (official account)",
    "Acme {Verified}",
    "Acme <certified>",
    "Acme [0fficial]",
    "Acme [ОFFICIAL]",
    "Acme [the official page]",
    "Acme officially verified",
    "Acme, verified account",
    "Acme [Verif1ed]",
    "Acme, veriﬁed  account",
    "Acme 𝐯𝐞𝐫𝐢𝐟𝐢𝐞𝐝 𝐚𝐜𝐜𝐨𝐮𝐧𝐭",
    "Acme ᴠᴇʀɪꜰɪᴇᴅ ᴀᴄᴄᴏᴜɴᴛ",
    "官 方 认 证 华为",
    "华为｢官方｣",
    "华为«官方»",
    "华为⸢官方⸣",
    "华为“官方”",
    "华为|官方|",
    "华为[官方微博]",
]
INNOCENT = [
    "张三",
    "王小明🌸",
    "小猫咪😺✨",
    "🎉庆祝🎉",
    "政通人和",
    "李政",
    "企鹅爱好者",
    "传媒大学新生",
    "名侦探柯南",
    "社畜日记",
    "机器人小白",
    "认证工程师老王",
    "我不是官方",
    "官方不认识我",
    "V for Vendetta",
    "Vera",
    "Victor V",
    "√2 俱乐部",
    "株式会社(株)",
    "恭喜㊗️发财",
    "秘密㊙️",
    "Anna (she/her)",
    "Anna [brb]",
    "李雷（北京）",
    "【读书会】小组长",
    "《红楼梦》读者",
    "a:b:c",
    "10:30 咖啡",
    "Anna :blobcat:",
    "Anna :badger:",
    "Anna :stickers:",
    "Official Fan of Tea",
    "Certified nerd",
    "“小”王",
    "«Anna»",
    "Anna | 官方不认识我",
    "Anna :checkers:",
    "Anna :checkpoint:",
    "unverified rumours",
    "Ω мега ",
    "نور",
    "ねこ",
    "®egina",
    "🇨🇳 老李",
    "X²",
    "",
]


@pytest.mark.parametrize("name", MARKED)
def test_a_sign_is_found_and_not_shown(name: str) -> None:
    found = lookalikes.find_sign(name)
    assert found is not None
    assert lookalikes.find_sign(lookalikes.without_marks(name)) is None
    assert lookalikes.without_marks(name) != name


@pytest.mark.parametrize("name", CLAIMED)
def test_a_claim_is_found_and_not_shown(name: str) -> None:
    assert lookalikes.find_claim(name) is not None
    assert lookalikes.find_claim(lookalikes.without_marks(name)) is None


@pytest.mark.parametrize("name", INNOCENT)
def test_an_innocent_name_is_left_as_it_is(name: str) -> None:
    assert lookalikes.find_sign(name) is None
    assert lookalikes.find_claim(name) is None
    assert lookalikes.without_marks(name) == name


ALIKE = [
    ("北京日报", "北京日報"),
    ("北京日报", "北京 日报"),
    ("北京日报", "北京·日报"),
    ("北京日报", "北京日报✨"),
    ("北京日报", "北京日报官方"),
    ("北京日报", "官方 北京日报"),
    ("北京日报", "北京日报_官方账号"),
    ("北京日报", "北京日\u200b报"),
    ("PayPal", "PayPaI"),
    ("PayPal", "ΡауРаl"),
    ("PayPal", "paypal"),
    ("PayPal", "Рaypal"),
    ("Xinhua", "Хinhua"),
    ("Xinhua", "X i n h u a"),
    ("Xinhua", "ＸＩＮＨＵＡ"),
    ("Xinhua", "𝐗𝐢𝐧𝐡𝐮𝐚"),
    ("Xinhua", "Xïnhuá"),
    ("Xinhua", "Xinhua (official)"),
    ("media_group", "rnedia-group"),
    ("beijing_daily", "beijingdaily"),
    ("IDAHO", "ldaho"),
    ("Xinhua", "🆇🅸🅽🅷🆄🅰"),
    ("Xinhua", "🅧🅘🅝🅗🅤🅐"),
    ("Xinhua", "🇽🇮🇳🇭🇺🇦"),
    ("Xinhua", "xɪɴʜᴜᴀ"),
]
APART = [
    ("北京日报", "北京晚报"),
    ("北京日报", "北京日报读者"),
    ("北京市公安局", "北京市公安局海淀分局"),
    ("新华社", "新华书店"),
    ("Xinhua", "Xinhuanet"),
    ("Anna", "Hanna"),
    ("官方", "认证"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_names_that_read_as_one(one: str, other: str) -> None:
    assert lookalikes.skeletons(one) & lookalikes.skeletons(other)


@pytest.mark.parametrize(("one", "other"), APART)
def test_names_that_read_as_two(one: str, other: str) -> None:
    assert not lookalikes.skeletons(one) & lookalikes.skeletons(other)


@pytest.mark.parametrize(
    "name", ["认证", "認證", "Certified", "CERTIFIED ✓", "已认证", "认证 Certified", "Сertified"]
)
def test_the_row_of_certifications(name: str) -> None:
    assert lookalikes.is_certification_field(name)


@pytest.mark.parametrize("name", ["城市", "Website", "证书", "Certificates of mine", "✓", ""])
def test_other_rows(name: str) -> None:
    assert not lookalikes.is_certification_field(name)


@pytest.mark.parametrize("text", ["", "✓", "🌸", "一", "x"])
def test_what_is_hardly_a_name_is_like_nothing(text: str) -> None:
    assert lookalikes.skeletons(text) == frozenset()


@pytest.mark.parametrize("piece", ["[", "【官", ":verified", "官方", "(加", "V\u20dd"])
def test_a_long_name_takes_no_time(piece: str) -> None:
    long = piece * (20_000 // len(piece))
    began = time.perf_counter()
    lookalikes.without_marks(long)
    lookalikes.skeletons(long)
    assert time.perf_counter() - began < 1
