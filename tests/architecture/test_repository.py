"""What lies in the repository: links that lead somewhere, no secrets, no machine's own addresses."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = frozenset({"bot", "handlers", "storage", "tests"})
# What an import is called where the package is called otherwise.
CALLED = {
    "sklearn": "scikit-learn",
    "dotenv": "python-dotenv",
    "python_calamine": "python-calamine",
    "docx": "python-docx",
    "PIL": "pillow",
}
# Public addresses that the product itself speaks to or quotes; everything else is an accident.
HOSTS = re.compile(
    r"(127\.0\.0\.1|localhost|([\w-]+\.)*(example\.(cn|com|org|net)|invalid|weixin\.qq\.com"
    r"|feishu\.cn|larksuite\.com|dingtalk\.(com|io))"
    r"|www\.w3\.org|opensource\.org|[a-z]|主机|host)$"
)
MACHINE_PATH = re.compile(r"(?<![\w.}/])/(?:wor[k]|roo[t]|hom[e]|User[s]|tm[p])/\w+")
SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\bAKIA[0-9A-Z]{16}\b|\bghp_\w{30,}|\bxox[bp]-\w{10,}|\bsk-\w{20,}"
)
REGISTRY = re.compile(r"https?://\S+/(?:simpl[e]|package[s])\b|\bindex-ur[l]\b")


def _tracked() -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip("not a git checkout: what belongs to the repository is unknown")
    found = [ROOT / name for name in done.stdout.decode().split("\0") if name]
    return [p for p in found if p.is_file()]


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Every text file by its name in the repository."""
    found = {}
    for path in _tracked():
        content = path.read_bytes()
        if b"\0" not in content:
            found[path.relative_to(ROOT).as_posix()] = content.decode("utf-8", "replace")
    return found


@pytest.mark.parametrize(
    "pattern", [MACHINE_PATH, SECRET, REGISTRY], ids=["paths", "keys", "registries"]
)
def test_no_file_carries(texts: dict[str, str], pattern: re.Pattern[str]) -> None:
    found = {n: m.group() for n, text in texts.items() if (m := pattern.search(text))}
    assert not found


def test_every_host_named_is_one_that_the_product_speaks_to(texts: dict[str, str]) -> None:
    pattern = re.compile(r"\b(?:https?|wss?)://([\w.-]*\w)")
    found = {
        (name, host)
        for name, text in texts.items()
        # What people wrote may name any host: adverts and phishing are in the corpus on purpose.
        if not name.startswith("tests/corpus/")
        for host in pattern.findall(text)
        if not HOSTS.match(host)
    }
    assert not found


def test_no_settings_file_or_database_is_kept(texts: dict[str, str]) -> None:
    names = [p.relative_to(ROOT).as_posix() for p in _tracked()]
    assert not [n for n in names if re.search(r"(^|/)\.env$|\.(db|db-wal|pem|key)$", n)]


def test_the_lock_holds_versions_only(texts: dict[str, str]) -> None:
    lines = texts["requirements.lock"].splitlines()
    wrong = [line for line in lines if not re.fullmatch(r"[A-Za-z0-9_.-]+==[\w.+]+", line)]
    assert not wrong
    locked = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    project = tomllib.loads(texts["pyproject.toml"])["project"]
    wanted = project["dependencies"] + [
        w for e in project["optional-dependencies"].values() for w in e
    ]
    names = {re.split(r"[\[<>=; ]", w)[0].lower().replace("_", "-") for w in wanted}
    assert names - {"uvloop"} <= locked


def test_every_library_imported_is_declared_and_every_declared_one_used(
    texts: dict[str, str],
) -> None:
    used: dict[str, str] = {}
    for name, text in texts.items():
        if not name.endswith(".py") or name.split("/")[0] not in ("bot", "handlers", "storage"):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module or ""]
            else:
                continue
            for module in modules:
                top = module.split(".")[0]
                if top not in sys.stdlib_module_names and top not in OURS:
                    used[CALLED.get(top, top).replace("_", "-")] = name
    project = tomllib.loads(texts["pyproject.toml"])["project"]
    declared = {re.split(r"[\[<>=; ]", w)[0].lower() for w in project["dependencies"]}
    optional = {
        re.split(r"[\[<>=; ]", w)[0].lower()
        for extra, wanted in project["optional-dependencies"].items()
        if extra != "dev"
        for w in wanted
    }
    assert set(used) <= declared | optional, {k: used[k] for k in set(used) - declared - optional}
    # tzdata has no import: it is the zone files where the system has none.
    assert declared - set(used) <= {"tzdata"}


def test_handlers_take_nothing_beside_pure_libraries(texts: dict[str, str]) -> None:
    for name, text in texts.items():
        if not (name.startswith("handlers/") and name.endswith(".py")):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = (
                    [a.name for a in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                )
                tops = {n.split(".")[0] for n in names}
                pure = {"handlers", "rapidfuzz", "pypinyin"}
                if name == "handlers/understanding/training.py":
                    # The recipe of the model: an extra, never loaded at run time.
                    pure |= {"sklearn", "scipy", "numpy"}
                assert tops <= sys.stdlib_module_names | pure, name


def test_every_link_of_a_page_leads_somewhere(texts: dict[str, str]) -> None:
    pattern = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
    missing = {
        (name, target)
        for name, text in texts.items()
        if name.endswith(".md")
        for target in pattern.findall(text)
        if not (ROOT / name).parent.joinpath(target).resolve().exists()
    }
    assert not missing


def test_every_decision_is_numbered_and_has_its_three_parts(texts: dict[str, str]) -> None:
    pages = sorted(n for n in texts if n.startswith("docs/adr/"))
    assert [int(Path(n).name[:4]) for n in pages] == list(range(1, len(pages) + 1))
    for name in pages:
        for part in ("## Situation", "## Choice", "## Price"):
            assert part in texts[name], (name, part)


def test_the_pages_name_commands_that_exist(texts: dict[str, str]) -> None:
    there = {Path(n).stem for n in texts if re.fullmatch(r"bot/commands/[a-z]\w*\.py", n)}
    for name, text in texts.items():
        if name.endswith(".md") and name != "CHANGELOG.md":
            named = set(re.findall(r"python -m bot ([a-z]+)", text))
            assert named <= there, (name, named - there)
