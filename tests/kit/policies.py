"""The labelled library as entries, put into a database as the office would have it: approved, checked."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from handlers.domain.category import Category
from handlers.domain.policy_library import PolicyEntry, State, Whom
from storage.uow import UnitOfWork

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
CHECKED = date(2026, 11, 1)


def rows(name: str) -> list[dict[str, Any]]:
    with (CORPUS / f"{name}.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def a_policy(title: str = "企业稳岗留工补贴办法", **more: Any) -> PolicyEntry:
    """An approved entry that holds on the day of the stories."""
    values: dict[str, Any] = {
        "number": "通开人社〔2026〕41号",
        "issuer": "开发区人社局",
        "issued_on": date(2026, 3, 1),
        "valid_from": date(2026, 3, 10),
        "expires_on": date(2027, 12, 31),
        "apply_by": date(2027, 6, 30),
        "summary": "春节期间留岗职工每人每天补80元",
        "text": "春节期间连续生产的企业，按实际留岗天数给予稳岗补贴，每人每天80元，最多七天。企业凭考勤和工资发放记录在网上申请。",
        "source_url": "https://www.example.com/41.html",
        "checked_on": CHECKED,
        "category": Category.LAB,
        "state": State.APPROVED,
        "author": "P055",
        "approved_by": "P057",
        "approved_at": datetime(2026, 11, 1, tzinfo=UTC),
        **more,
    }
    return PolicyEntry(title, **values)


def of_corpus(row: dict[str, Any]) -> PolicyEntry:
    def day(key: str) -> date | None:
        return None if row[key] is None else date.fromisoformat(row[key])

    whom = row["for"]
    return a_policy(
        row["title"],
        number=row["number"],
        issuer=row["issuer"],
        issued_on=day("issued_on"),
        valid_from=day("valid_from"),
        expires_on=day("valid_to"),
        apply_by=day("apply_by"),
        whom=Whom(*(tuple(whom[k]) for k in ("industries", "scales", "areas", "tags"))),
        summary=row["summary"],
        text=row["text"],
        keywords=tuple(row["keywords"]),
        source_url=row["source_url"],
        category=Category(row["category"]),
    )


def put(uow: UnitOfWork, entries: Iterable[PolicyEntry]) -> list[PolicyEntry]:
    return [uow.policies.add(entry) for entry in entries]


def put_corpus(uow: UnitOfWork) -> dict[str, int]:
    """All sixty; their ids in the corpus and here."""
    found = rows("policies")
    keys = {row["id"]: uow.policies.add(of_corpus(row)).id for row in found}
    for row in found:
        if row["superseded_by"]:
            entry = uow.policies.get(keys[row["id"]])
            assert entry is not None
            after = keys[row["superseded_by"]]
            uow.policies.save(replace(entry, superseded_by=after, version=entry.version + 1))
    return keys
