"""serve: the real thing, from the environment and .env."""

import argparse

NAME = "serve"
HELP = "正式运行，按环境变量和 .env 的设置"


def configure(parser: argparse.ArgumentParser) -> None:
    return None


def run(args: argparse.Namespace) -> int:
    from bot import app as application
    from bot import logs
    from bot.run import serve
    from storage.migrate import upgrade

    settings = application.read_settings()
    logs.configure(settings.log_format)
    upgrade(settings.database_url)
    serve(
        lambda: application.build(settings),
        lambda port: print(f"已启动，监听 {settings.host}:{port}", flush=True),
    )
    return 0
