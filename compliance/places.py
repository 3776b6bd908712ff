"""Places of registration by the first two digits of GB/T 2260, and the authority of each.

The names are the data of the standard. What an operator writes into the directory stands in place of the
usual name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from .activity import AccountId
from .connection import Connection
from .errors import NotAllowed
from .records import Entry, RecordKind, Source, write

NOWHERE = "00"
"""People, and whoever has no number that says a place: filed with the operator's own authority."""
PLACES: Mapping[str, str] = MappingProxyType(
    {
        "10": "国家",
        "11": "北京市",
        "12": "天津市",
        "13": "河北省",
        "14": "山西省",
        "15": "内蒙古自治区",
        "21": "辽宁省",
        "22": "吉林省",
        "23": "黑龙江省",
        "31": "上海市",
        "32": "江苏省",
        "33": "浙江省",
        "34": "安徽省",
        "35": "福建省",
        "36": "江西省",
        "37": "山东省",
        "41": "河南省",
        "42": "湖北省",
        "43": "湖南省",
        "44": "广东省",
        "45": "广西壮族自治区",
        "46": "海南省",
        "50": "重庆市",
        "51": "四川省",
        "52": "贵州省",
        "53": "云南省",
        "54": "西藏自治区",
        "61": "陕西省",
        "62": "甘肃省",
        "63": "青海省",
        "64": "宁夏回族自治区",
        "65": "新疆维吾尔自治区",
        "71": "台湾省",
        "81": "香港特别行政区",
        "82": "澳门特别行政区",
    }
)
_WITHOUT = frozenset({"71", "81", "82"})
"""Places where no office of the usual name is."""
_LONGEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Whom to file with. `updated_at` is `None` where only the usual name is known."""

    province: str
    name: str
    contact: str = ""
    channel: str = ""
    updated_at: datetime | None = None

    @property
    def place(self) -> str:
        return PLACES[self.province]


def is_place(code: str) -> bool:
    """Whether something can be filed by this code."""
    return code in PLACES or code == NOWHERE


async def list_(conn: Connection) -> list[Authority]:
    """Every place with its authority, in the order of the standard."""
    rows = await conn.fetch("select province, name, contact, channel, updated_at from compliance.authority")
    known = {row["province"]: Authority(**row) for row in rows}
    return [known.get(code, _usual(code)) for code in PLACES]


async def find(conn: Connection, code: str) -> Authority | None:
    """The authority of a place; `None` where nothing is known of one."""
    found = next((one for one in await list_(conn) if one.province == code), None)
    return found if found and found.name else None


async def set_(
    conn: Connection,
    province: str,
    *,
    name: str,
    contact: str,
    channel: str,
    by: AccountId | None,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> None:
    """Writes who the authority of a place is and how it is reached."""
    if province not in PLACES:
        raise NotAllowed("no such place in GB/T 2260")
    if not name.strip():
        raise NotAllowed("an authority has a name")
    if max(map(len, (name, contact, channel))) > _LONGEST:
        raise NotAllowed(f"at most {_LONGEST} characters each")
    await conn.execute(
        """
        insert into compliance.authority (province, name, contact, channel, updated_by, updated_at)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (province) do update
          set name = excluded.name, contact = excluded.contact, channel = excluded.channel,
              updated_by = excluded.updated_by, updated_at = excluded.updated_at
        """,
        province,
        name.strip(),
        contact.strip(),
        channel.strip(),
        by,
        now,
    )
    entry = Entry(RecordKind.AUTHORITY_SET, by, province, source=source, detail={"name": name.strip()})
    await write(conn, [entry], now=now, new_id=new_id)


def _usual(code: str) -> Authority:
    name = "" if code in _WITHOUT else f"{PLACES[code]}互联网信息办公室"
    return Authority(province=code, name=name)
