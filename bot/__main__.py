"""Command line: finds the commands in bot/commands and runs one."""

import argparse
import errno
import re
import sys
from typing import Any, Final, NoReturn

from bot import __version__

# What argparse says, as the office reads it.
_SAYS: Final = (
    (r"the following arguments are required: (.+)", r"缺少 \1。"),
    (r"argument (.+): invalid choice: (.+?) \(choose from (.+)\)", r"\1 没有 \2，可以写 \3。"),
    (r"argument (.+): invalid (?:int|float) value: (.+)", r"\1 请写数字，不能写 \2。"),
    (
        r"argument (.+): invalid fromisoformat value: (.+)",
        r"\1 请写成 2026-11-24 这样的日期，不能写 \2。",
    ),
    (r"argument (.+): expected one argument", r"\1 后面缺少内容。"),
    (r"unrecognized arguments: (.+)", r"不认识 \1。"),
)


_FAILED: Final = {
    errno.ENOENT: "没有找到文件或文件夹，请核对路径",
    errno.EACCES: "没有权限读写，请核对文件的所有者和权限",
    errno.EISDIR: "这是文件夹，请写文件的路径",
    errno.ENOTDIR: "路径里有一段不是文件夹，请核对路径",
    errno.ENOSPC: "磁盘已满，请腾出空间再试",
    errno.EROFS: "这里只能读，请换一个文件夹",
    errno.ECONNREFUSED: "连不上，请核对地址和端口",
}


_OF_DATABASE: Final = {
    "in_use": "数据库正被另一个进程使用，请先停掉它。",
    "no_file": "还没有数据库，请核对 LHG_DATABASE_URL。",
    "not_migrated": "数据库还是旧版本，请先运行 migrate。",
}


class _Usage(argparse.HelpFormatter):
    def add_usage(self, usage, actions, groups, prefix=None):  # type: ignore[no-untyped-def]  # as in argparse
        super().add_usage(usage, actions, groups, "用法：" if prefix is None else prefix)


class _Parser(argparse.ArgumentParser):
    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=_Usage, add_help=False, **options)
        self._positionals.title, self._optionals.title = "参数", "选项"
        self.add_argument("-h", "--help", action="help", help="显示这段说明")

    def error(self, message: str) -> NoReturn:
        for english, told in _SAYS:
            if re.fullmatch(english, message):
                message = re.sub(english, told, message)
                break
        self.print_usage(sys.stderr)
        self.exit(2, f"用法不对：{message}\n")


def main(arguments: list[str] | None = None) -> int:
    """0 done, 1 the thing checked does not hold, 2 wrong use or settings."""
    import importlib
    import pkgutil

    import bot.commands

    given = sys.argv[1:] if arguments is None else arguments
    parser = _Parser(prog="lhg", description="老洪港企业服务联络机器人")
    parser.add_argument("--version", action="version", version=__version__, help="显示版本")
    actions = parser.add_subparsers(dest="command", metavar="命令", title="命令")
    modules = {}
    for found in sorted(pkgutil.iter_modules(bot.commands.__path__), key=lambda m: m.name):
        module = importlib.import_module(f"bot.commands.{found.name}")
        modules[module.NAME] = module
        module.configure(actions.add_parser(module.NAME, help=module.HELP, description=module.HELP))
    args = parser.parse_args(given)
    if args.command is None:
        parser.print_help()
        return 2
    return _run(modules[args.command].run, args)


def _run(command, args: argparse.Namespace) -> int:  # type: ignore[no-untyped-def]  # a module's function
    from sqlalchemy.exc import DatabaseError as Broken
    from sqlalchemy.exc import OperationalError

    from bot.platform import ConfigError
    from storage.db import DatabaseError

    try:
        return int(command(args))
    except ConfigError as error:
        print("设置有误：", file=sys.stderr)
        for problem in error.problems:
            print(f"  · {problem}", file=sys.stderr)
        return 2
    except DatabaseError as error:
        told = _OF_DATABASE.get(str(error), f"数据库版本 {error} 比程序新，请先升级程序。")
        print(told, file=sys.stderr)
        return 2
    except (OperationalError, Broken) as error:
        if not isinstance(error, OperationalError) and type(error) is not Broken:
            raise
        # The driver's own words may hold the address with its password.
        print("数据库连不上或打不开，请核对 LHG_DATABASE_URL 和文件权限。", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if error.name != "psycopg":
            raise
        print("PostgreSQL 需要另装：pip install 'laohonggang-bot[pg]'。", file=sys.stderr)
        return 2
    except OSError as error:
        place = f"（{error.filename}）" if error.filename else ""
        told = _FAILED.get(error.errno or 0, "文件或网络不可用，请核对后再试")
        print(f"{told}{place}。", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
