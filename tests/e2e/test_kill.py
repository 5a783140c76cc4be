"""Kill -9 while 16 clients post. The full form: python -m tests.kit.crash 200."""

import os
import socket
from pathlib import Path

from tests.kit.crash import campaign, faults


async def test_36_kill_nine_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kills = 200 if os.environ.get("LHG_FULL") == "1" else 5
    result = await campaign(tmp_path, kills, port)
    assert faults(result) == []
    assert len(result["acknowledged"]) > 20
