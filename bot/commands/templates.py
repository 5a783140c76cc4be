"""templates DIR: the shipped forms of the slips, for an office that edits them."""

import argparse
from pathlib import Path

NAME = "templates"
HELP = "把自带的单据模板写到一个文件夹，改好后由 LHG_TEMPLATES 使用"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="写到哪个文件夹；已有的模板不会覆盖")


def run(args: argparse.Namespace) -> int:
    import sys

    from bot.papers.slips import template
    from handlers.texts.slips import TITLES

    folder: Path = args.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind, title in TITLES.items():
            file = folder / f"{title}.docx"
            if file.exists():
                print(f"{file} 已有，没有改动。")
                continue
            file.write_bytes(template(kind))
            print(f"{file} 已写好。")
    except ModuleNotFoundError as error:
        if error.name != "docx":
            raise
        print('要先安装 Word 组件：pip install ".[docs]"。', file=sys.stderr)
        return 2
    except OSError as error:
        print(f"写不进 {folder}：{error.strerror}。请换一个能写的文件夹。", file=sys.stderr)
        return 2
    print("用 Word 改，{{字段}} 照原样留着；再把这个文件夹写进 LHG_TEMPLATES，重启后生效。")
    return 0
