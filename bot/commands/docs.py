"""docs: make the pages that are made from code."""

import argparse
from pathlib import Path

NAME = "docs"
HELP = "由代码生成 docs/ 里的命令、设置、状态三页"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path("docs"))


def pages() -> dict[str, str]:
    """File name -> content."""
    from bot import app as application
    from bot import registry
    from bot.settings import CORE
    from handlers.chat.router import RouteKind
    from handlers.domain.ticket import MOVES
    from handlers.texts.common import MOVE_NAMES, STATE_NAMES

    commands = ["# Commands in chat", "", "Made from the registered routes.", ""]
    commands += ["| words | usage | about | who |", "| --- | --- | --- | --- |"]
    for router in registry.routers():
        for route in router.routes:
            if route.kind in (RouteKind.COMMAND, RouteKind.SENTENCE):
                words = "、".join((*route.words, *route.exact))
                who = route.who.name.replace("|", ", ")
                commands.append(f"| {words} | {route.usage} | {route.about} | {who} |")
    config = ["# Settings", "", "Made from the code; `config.example.env` holds the same keys.", ""]
    config += ["| key | why | default | secret |", "| --- | --- | --- | --- |"]
    for setting in (*CORE, *application.platform_settings()):
        secret = "yes" if setting.secret else ""
        config.append(f"| `{setting.key}` | {setting.why} | {setting.default} | {secret} |")
    states = ["# States and moves", "", "Made from the table that the code runs by.", ""]
    states += ["```mermaid", "stateDiagram-v2", "    [*] --> open: submit"]
    for move, rule in MOVES.items():
        for source in sorted(rule.sources):
            for target in sorted(rule.targets):
                if source is not target and len(rule.targets) < 3:
                    states.append(f"    {source} --> {target}: {move}")
    states += ["```", "", "| move | 中文 | from | who |", "| --- | --- | --- | --- |"]
    for move, rule in MOVES.items():
        sources = ", ".join(STATE_NAMES[s] for s in sorted(rule.sources))
        who = " ".join(sorted(p.value for p in rule.who))
        states.append(f"| {move} | {MOVE_NAMES[move]} | {sources} | {who} |")
    return {
        "commands.md": "\n".join(commands) + "\n",
        "config.md": "\n".join(config) + "\n",
        "states.md": "\n".join(states) + "\n",
    }


def example_env() -> str:
    """config.example.env."""
    from bot import app as application
    from bot.settings import CORE

    lines = ["# 每个设置一行说明；复制为 .env 后填写，或运行 python -m bot init。"]
    for setting in (*CORE, *application.platform_settings()):
        lines += ["", f"# {setting.why}", f"{setting.key}={setting.default}"]
    return "\n".join(lines) + "\n"


def run(args: argparse.Namespace) -> int:
    out: Path = args.out
    out.mkdir(exist_ok=True)
    for name, content in pages().items():
        (out / name).write_text(content, encoding="utf-8")
    (out.parent / "config.example.env").write_text(example_env(), encoding="utf-8")
    print("已生成。")
    return 0
