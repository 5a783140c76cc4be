"""What a problem is about, and how urgent it is: domain.md §5 and §6."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Category(StrEnum):
    LAB = "LAB"
    FIN = "FIN"
    LND = "LND"
    ENE = "ENE"
    LOG = "LOG"
    ENV = "ENV"
    SAF = "SAF"
    POL = "POL"
    TAX = "TAX"
    APR = "APR"
    INF = "INF"
    MKT = "MKT"
    TAL = "TAL"
    TEC = "TEC"
    LEG = "LEG"
    TRD = "TRD"
    REL = "REL"
    PUB = "PUB"
    INS = "INS"
    EPI = "EPI"
    OTH = "OTH"


class Urgency(StrEnum):
    U1 = "U1"
    U2 = "U2"
    U3 = "U3"
    U4 = "U4"


LABELS: Final[Mapping[Category, str]] = {
    Category.LAB: "用工",
    Category.FIN: "融资",
    Category.LND: "用地",
    Category.ENE: "水电气",
    Category.LOG: "物流",
    Category.ENV: "环保",
    Category.SAF: "安全",
    Category.POL: "政策",
    Category.TAX: "税费",
    Category.APR: "审批",
    Category.INF: "配套",
    Category.MKT: "市场",
    Category.TAL: "人才",
    Category.TEC: "科技",
    Category.LEG: "法务",
    Category.TRD: "通关",
    Category.REL: "腾退",
    Category.PUB: "治安",
    Category.INS: "检查",
    Category.EPI: "卫生",
    Category.OTH: "其他",
}
