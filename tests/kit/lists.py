"""The seed's three lists, invented row by row: 195 tenants, 56 + 29 firms, households by grid."""

from typing import Any

from tests.kit.house import House

# 15 buildings with 13 tenants each.
BUILDINGS = 15
SHOPS = (
    "瓷砖",
    "木门",
    "灯具",
    "五金",
    "板材",
    "卫浴",
    "窗帘",
    "油漆",
    "石材",
    "地板",
    "管件",
    "橱柜",
    "壁纸",
)


def tenants() -> list[dict[str, Any]]:
    return [
        {
            "group": f"{b}号楼",
            "place": f"{100 * (1 + n // 7) + n % 7 + 1}",
            "name": f"{b}幢{shop}经营部",
        }
        for b in range(1, BUILDINGS + 1)
        for n, shop in enumerate(SHOPS)
    ]


def odour_firms(known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """56 chemical and 29 other firms, the known ones by their short names."""
    names = [(f["name"], f["grid"]) for f in known]
    names += [(f"无名{n}号厂", 1 + n % 9) for n in range(85 - len(names))]
    return [
        {"name": name, "grid": grid, "group": "化工" if n < 56 else "非化工"}
        for n, (name, grid) in enumerate(names)
    ]


def households() -> list[dict[str, Any]]:
    return [{"name": f"{n}网格", "grid": n, "size": 400 + 10 * n} for n in range(1, 10)]


async def campaign(house: House, name: str, states: list[str], **more: Any) -> int:
    made = await house.api(
        "POST", "/campaigns", {"name": name, "states": states, **more}, status=201
    )
    return int(made["id"])


async def filled(house: House, number: int, items: list[dict[str, Any]]) -> dict[str, Any]:
    taken = await house.api("POST", f"/campaigns/{number}/targets", {"items": items}, status=201)
    return dict(taken)


async def space(house: House) -> int:
    """空间再造 with its 195 tenants in 15 buildings."""
    number = await campaign(house, "空间再造", ["未签", "已签"], unit="户", owner="P056")
    taken = await filled(house, number, tenants())
    assert (taken["created"], taken["rejected"]) == (195, [])
    return number


async def odour(house: House) -> int:
    """无异味 with 56 chemical firms and 29 others in two rounds."""
    number = await campaign(house, "无异味", ["未查", "已查"], rounds=2, unit="家", owner="P056")
    known = (await house.api("GET", "/enterprises?limit=200"))["items"]
    taken = await filled(house, number, odour_firms(known))
    assert (taken["created"], taken["rejected"]) == (85, [])
    return number


async def doors(house: House) -> int:
    """敲门行动 by grid with counts."""
    number = await campaign(
        house, "敲门行动", ["未敲", "已敲"], unit="户", words=["敲门"], owner="P056"
    )
    assert (await filled(house, number, households()))["created"] == 9
    return number


async def progress(house: House, number: int) -> list[tuple[int, int]]:
    """(done, total) of each round."""
    found = (await house.api("GET", "/campaigns?ended=1"))["items"]
    (one,) = [c for c in found if c["id"] == number]
    return [(r["done"], r["total"]) for r in one["progress"]]
