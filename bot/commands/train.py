"""train: build the model of the understanding anew from the labelled messages."""

import argparse
import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handlers.understanding.reading import Probabilities

NAME = "train"
HELP = "用标注消息重新训练理解模型（需要 pip install .[train]）"

# The general files hold every kind of message: the blend is fitted on them, each left out in turn.
LEFT_OUT = ("messages", "messages_a", "messages_b")
# No file has this name, so it is nobody else's.
_CORRECTED = "corrections:"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        help="标注消息（一个文件一个作者），默认 tests/corpus 里的全部",
    )
    parser.add_argument(
        "--out", type=Path, help="写到哪里，默认替换随产品的模型；用更正训练时默认 LHG_MODEL"
    )
    parser.add_argument(
        "--from-corrections", action="store_true", help="连同办公室更正过的消息一起训练"
    )
    parser.add_argument(
        "--database", metavar="URL", help="从哪个数据库取更正，默认 LHG_DATABASE_URL"
    )


def rows_of(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def labelled(corpus: Path) -> list[Path]:
    """The files of a folder that hold labelled messages."""
    return [*sorted(corpus.glob("messages*.jsonl")), *sorted(corpus.glob("written*.txt"))]


def authors(files: Sequence[Path]) -> dict[str, list[dict[str, Any]]]:
    """The labelled rows by author; one file is one author."""
    from handlers.understanding.training import written

    return {
        path.stem: rows_of(path)
        if path.suffix == ".jsonl"
        else written(path.read_text(encoding="utf-8").splitlines())
        for path in files
    }


def opinions(corpus: Path) -> "dict[str, Probabilities]":
    """What encoders said of messages whose author they had not seen."""
    return dict(_opinions(corpus / "encoder_left_out.jsonl"))


def _opinions(path: Path) -> "Iterator[tuple[str, Probabilities]]":
    from handlers.understanding.reading import Probabilities

    for row in rows_of(path) if path.exists() else ():
        heads = (tuple(row[k]) for k in ("intent", "category", "urgency"))
        yield row["id"], Probabilities(row["ticket"][1], *heads)


def build(files: Sequence[Path], corrected: Sequence[dict[str, Any]] = ()) -> bytes:
    """The model file: the blend from authors left out, the weights from everybody.

    What was corrected counts as one author more, who is never left out.
    """
    from handlers.understanding.training import NEUTRAL, blended, example, fit, leave_one_out

    examples = {name: [example(row) for row in said] for name, said in authors(files).items()}
    if corrected:
        examples[_CORRECTED] = [example(row) for row in corrected]
    left_out = [name for name in LEFT_OUT if name in examples and len(examples) > 1]
    blend = NEUTRAL
    if left_out:
        judged = leave_one_out(examples, left_out, opinions(files[0].parent))
        blend = blended([j for name in left_out for j in judged[name]])
    return fit([e for said in examples.values() for e in said], blend)


def run(args: argparse.Namespace) -> int:
    try:
        import sklearn  # noqa: F401
    except ImportError:
        print("训练需要 scikit-learn，请先运行：pip install .[train]")
        return 2
    files = args.files or labelled(Path("tests/corpus"))
    if not files:
        print("没有标注消息，请给出文件，或在源码目录里运行。")
        return 2
    if args.from_corrections:
        return _with_corrections(files, args.out, args.database)
    import handlers.understanding as package
    from handlers.understanding.model import FILE

    _written(args.out or Path(package.__file__).parent / FILE, build(files))
    return 0


def _with_corrections(files: Sequence[Path], out: Path | None, database: str | None) -> int:
    """The office's own model: a file of its own, so that the next release does not undo it."""
    from bot.offline import opened
    from bot.settings import load

    settings = load(overrides={"LHG_DATABASE_URL": database} if database else None)
    chosen = settings.values["LHG_MODEL"]
    if out is None and not chosen:
        print("请用 --out 写明模型文件，例如 --out data/model.bin。")
        return 2
    with opened(settings, keep=False) as (uow, _):
        corrected, newest = uow.corrections.examples(), uow.corrections.newest_id()
    if not corrected:
        print("数据库里还没有更正，没有训练。")
        return 1
    target = out or Path(chosen)
    _written(target, build(files, corrected))
    with opened(settings) as (uow, _):
        uow.corrections.mark_trained(newest)
    hint = "" if chosen and Path(chosen) == target else f"请在设置里写 LHG_MODEL={target}，"
    print(f"用了 {len(corrected)} 条更正。{hint}重新启动后生效。")
    return 0


def _written(target: Path, data: bytes) -> None:
    _replace(target, data)
    print(f"模型已写入 {target}，{len(data) / 1e6:.2f} MB，{sha256(data).hexdigest()[:16]}")


def _replace(target: Path, data: bytes) -> None:
    """Whole or not at all: a bot may start from it at any moment."""
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(f"{target.name}.new")
    new.write_bytes(data)
    new.replace(target)
