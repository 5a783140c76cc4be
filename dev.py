"""The one entry for newcomers: builds .venv and runs a task. Standard library only.

Annotations are quoted: this file must start on an old Python to say that a newer one is needed.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / ".ready"
NEEDED = (3, 11)
PACKAGES = {"chromium": "chromium", "fonts": "fonts-noto-cjk", "postgres": "postgresql"}


def say(text: str) -> None:
    print(f"[dev] {text}", flush=True)


def find_python() -> str:
    """A Python that is new enough; exits with what to install."""
    if sys.version_info >= NEEDED:
        return sys.executable
    for name in ("python3.14", "python3.13", "python3.12", "python3.11", "python3", "python"):
        path = shutil.which(name)
        if path is None:
            continue
        done = subprocess.run(
            [path, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], check=False
        )
        if done.returncode == 0:
            return path
    say("Python 3.11 or newer is needed: apt-get install python3.11, or python.org.")
    sys.exit(2)


def run(*command: str, **options: object) -> int:
    process = subprocess.Popen(command, cwd=HERE, **options)  # type: ignore[call-overload]
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the child was interrupted too and ends in its own order


def become(*command: str) -> int:
    """Run as this very process where that exists: whoever stops it stops the bot, orderly."""
    if os.name == "nt":
        return run(*command)
    os.chdir(HERE)
    sys.stdout.flush()
    os.execv(command[0], command)  # does not return
    return 0


def setup(wheelhouse: "str | None") -> None:
    """Build .venv unless it is already as pyproject.toml wants it."""
    stated = [HERE / "pyproject.toml", HERE / "requirements.lock"]
    wanted = hashlib.sha256(b"".join(p.read_bytes() for p in stated if p.exists())).hexdigest()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text() == wanted:
        return
    python = find_python()
    source = []
    if wheelhouse:
        # Named from where the user stands; pip runs in the project's folder.
        source = ["--no-index", "--find-links", str(Path(wheelhouse).resolve())]
    lock = ["-c", "requirements.lock"] if (HERE / "requirements.lock").exists() else []
    uv = shutil.which("uv")
    say("building .venv (about a minute with pip)")
    if uv is not None:
        code = run(uv, "venv", "-q", "--allow-existing", "--python", python, str(VENV))
        install = [uv, "pip", "install", "-q", "--python", str(PYTHON)]
    else:
        code = run(python, "-m", "venv", str(VENV))
        install = [str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    code = code or run(*install, *source, *lock, "-e", ".[dev]")
    if code and lock:
        say("the locked versions could not all be had; taking what pyproject.toml allows")
        code = run(*install, *source, "-e", ".[dev]")
    if code:
        say("setup failed; the lines above say why")
        sys.exit(2)
    STAMP.write_text(wanted)


def missing_packages() -> "list[str]":
    """Debian packages that the tests want and this machine lacks."""
    missing = []
    if not (shutil.which("chromium") or shutil.which("chromium-browser")):
        missing.append(PACKAGES["chromium"])
    if not list(Path("/usr/share/fonts").glob("**/NotoSansCJK*")):
        missing.append(PACKAGES["fonts"])
    if not (shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))):
        missing.append(PACKAGES["postgres"])
    return missing


def system_packages() -> None:
    missing = missing_packages()
    if not missing:
        return
    line = f"apt-get install -y --no-install-recommends {' '.join(missing)}"
    if os.environ.get("CI") == "true" and shutil.which("apt-get"):
        say(f"installing {' '.join(missing)}")
        quiet = {
            "stdout": subprocess.DEVNULL,
            "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        }
        run("apt-get", "update", "-q", **quiet)
        if run(*line.split(), **quiet):
            say(f"that failed; the tests that need it will too: {line}")
        return
    say(f"some tests will be skipped; to run them all: {line}")


def check() -> int:
    """Format, lint, types, imports."""
    bin_dir = PYTHON.parent
    steps = (
        [str(bin_dir / "ruff"), "format", "--check", "."],
        [str(bin_dir / "ruff"), "check", "."],
        [str(bin_dir / "mypy")],
        [str(bin_dir / "lint-imports")],
    )
    # A tool killed by a signal has a negative code, which is a failure too.
    return 1 if any([run(*step) for step in steps]) else 0


def tests(arguments: "list[str]") -> int:
    system_packages()
    return run(str(PYTHON), "-m", "pytest", "-n", "2", "--dist", "loadfile", *arguments)


def main() -> int:
    parser = argparse.ArgumentParser(description="Build .venv and run a task.", allow_abbrev=False)
    parser.add_argument("--wheelhouse", help="install from this folder of wheels only")
    parser.add_argument(
        "task", choices=("demo", "test", "setup", "check", "evaluate", "bench", "docs")
    )
    parser.add_argument("--no-tests", action="store_true", help="check: leave the tests out")
    args, rest = parser.parse_known_args()
    setup(args.wheelhouse)
    python = str(PYTHON)
    if args.task == "setup":
        say("ready")
        return 0
    if args.task == "demo":
        return become(python, "-m", "bot", "demo", *rest)
    if args.task == "test":
        return tests(rest)
    if args.task == "check":
        return check() or (0 if args.no_tests else tests(rest))
    if args.task == "bench":
        return run(python, "-m", "tests.bench", *rest)
    if args.task == "docs":
        return run(python, "-m", "bot", "docs", *rest)
    if not list(HERE.glob("tests/evaluate*")):
        say("evaluate: there is nothing to evaluate in this version")
        return 2
    return run(python, "-m", "tests.evaluate", *rest)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
