"""serve: the real thing, from the environment and .env."""

import argparse
import gc

NAME = "serve"
HELP = "正式运行，按环境变量和 .env 的设置"


def configure(parser: argparse.ArgumentParser) -> None:
    return None


def run(args: argparse.Namespace) -> int:
    # Loading makes objects that live as long as the process; looking through them is wasted.
    gc.disable()
    from bot import app as application
    from bot import logs
    from bot.run import serve
    from storage.migrate import upgrade

    settings = application.read_settings()
    logs.configure(settings.log_format, secrets=application.secrets_of(settings))
    upgrade(settings.database_url)

    def ready(port: int) -> None:
        gc.freeze()
        gc.enable()
        print(f"已启动，监听 {settings.host}:{port}", flush=True)

    serve(
        lambda: application.build(settings),
        ready,
    )
    return 0
