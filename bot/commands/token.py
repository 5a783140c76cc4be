"""token create: an API token, shown once."""

import argparse

NAME = "token"
HELP = "创建接口令牌（只显示一次）"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    create = actions.add_parser("create", help="创建")
    create.add_argument("--name", required=True, help="用途，例如 大屏")
    create.add_argument("--scope", choices=("read", "write"), required=True)
    create.add_argument("--enterprise", help="只看这家企业，例如 E003")


def run(args: argparse.Namespace) -> int:
    import secrets
    import sys
    from hashlib import sha256

    from bot.offline import opened
    from handlers.domain.ids import EnterpriseId
    from handlers.domain.people import Token

    secret = secrets.token_urlsafe(32)
    with opened() as (uow, clock):
        firm = None if args.enterprise is None else EnterpriseId(args.enterprise)
        if firm is not None and uow.people.enterprise(firm) is None:
            print(f"没有编号为 {firm} 的企业，请核对。", file=sys.stderr)
            return 2
        token = Token(args.name, args.scope, firm, clock.now())
        uow.tokens.add(token, sha256(secret.encode()).hexdigest())
        uow.audit.add(clock.now(), "cli", "token.created", args.name, {"scope": args.scope})
    print(secret)
    return 0
