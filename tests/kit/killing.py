"""Kill -9 at random points of sweeps. The full form: python -m tests.kit.killing 500."""

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from handlers.domain.category import Urgency
from storage.migrate import upgrade
from tests.kit.builders import NOW
from tests.kit.office import Hand, Office, repeated

STEP = timedelta(minutes=30)


def _prepare(url: str, tickets: int) -> None:
    with Office(url) as office:
        for n in range(tickets):
            office.submit(list(Urgency)[n % 4], n, f"m{n}")


def _run(url: str, progress: Path, steps: int) -> None:
    """Go on from the step that was reached; a step that was killed is done again."""
    with Office(url, Hand(NOW), fresh=False) as office:
        for step in range(int(progress.read_text()), steps):
            office.clock.value = NOW + STEP * step
            office.sweep(limit=5)
            office.send()
            while office.sweep(limit=5):
                office.send()
            waiting = progress.with_suffix(".new")
            waiting.write_text(str(step + 1))
            waiting.replace(progress)


def _child(url: str, progress: Path, steps: int) -> int:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            _run(url, progress, steps)
            status = 0
        finally:
            os._exit(status)
    return pid


def campaign(folder: Path, kills: int, seed: int = 7, tickets: int = 24) -> dict[str, Any]:
    """What is on disk after that many kills, and after none."""
    chance = random.Random(seed)
    steps = 2 * 24 * 4
    urls = []
    for name in ("killed", "whole"):
        url = f"sqlite:///{folder / name}.db"
        upgrade(url)
        _prepare(url, tickets)
        urls.append(url)
    progress = folder / "progress"
    progress.write_text("0")
    killed = 0
    while killed < kills:
        pid = _child(urls[0], progress, steps)
        time.sleep(chance.uniform(0.02, 0.25))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if os.WIFEXITED(status):
            # It was through before it could be killed: from the start, with more time passed.
            if os.WEXITSTATUS(status) != 0:
                raise RuntimeError("the sweep itself failed")
            break
        killed += 1
        with Office(urls[0], fresh=False) as office:
            # The lease of a dead process is waited for in real life.
            office.work(
                lambda uow: uow.connection.execute(
                    text("UPDATE outbox SET lease_until = 0 WHERE state = 'sending'")
                )
            )
    _run(urls[0], progress, steps)
    whole = folder / "whole-progress"
    whole.write_text("0")
    _run(urls[1], whole, steps)
    return {"kills": killed, "killed": disk(urls[0]), "whole": disk(urls[1])}


def disk(url: str) -> dict[str, Any]:
    with Office(url, fresh=False) as office:
        rows = office.work(
            lambda uow: [
                tuple(r)
                for r in uow.connection.execute(
                    text(
                        "SELECT dedupe_key, state FROM outbox WHERE dedupe_key LIKE 'rung:%' "
                        "ORDER BY dedupe_key"
                    )
                )
            ]
        )
        return {
            "firings": sorted(f[:5] for f in office.firings()),
            "told": [row[0] for row in rows],
            "levels": office.work(
                lambda uow: [
                    tuple(r)
                    for r in uow.connection.execute(
                        text("SELECT number, level, state, version FROM tickets ORDER BY number")
                    )
                ]
            ),
        }


def faults(result: dict[str, Any]) -> list[str]:
    """What must not be; empty when all holds."""
    killed, whole = result["killed"], result["whole"]
    found = []
    if repeated(killed["firings"]):
        found.append("a rung fired twice")
    for what in ("firings", "told", "levels"):
        if killed[what] != whole[what]:
            extra = set(killed[what]) ^ set(whole[what])
            found.append(f"{what} differ: {sorted(extra, key=str)[:3]}")
    if len(whole["firings"]) < 20:
        found.append("too little happened")
    return found


def main() -> None:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    kills, firings, wrong = 0, 0, []
    for seed in range(10_000):
        if kills >= wanted or wrong:
            break
        folder = Path(tempfile.mkdtemp())
        result = campaign(folder, min(60, wanted - kills), seed, tickets=40)
        shutil.rmtree(folder)
        kills += result["kills"]
        firings += len(result["killed"]["firings"])
        wrong += faults(result)
    print(f"{kills} kills, {firings} firings, faults: {wrong}")


if __name__ == "__main__":
    main()
