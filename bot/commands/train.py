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


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        help="标注消息（一个文件一个作者），默认 tests/corpus 里的全部",
    )
    parser.add_argument("--out", type=Path, help="写到哪里，默认替换随产品的模型")


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


def build(files: Sequence[Path]) -> bytes:
    """The model file: the blend from authors left out, the weights from everybody."""
    from handlers.understanding.training import NEUTRAL, blended, example, fit, leave_one_out

    examples = {name: [example(row) for row in said] for name, said in authors(files).items()}
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
    import handlers.understanding as package
    from handlers.understanding.model import FILE

    data = build(files)
    target = args.out or Path(package.__file__).parent / FILE
    target.write_bytes(data)
    print(f"模型已写入 {target}，{len(data) / 1e6:.2f} MB，{sha256(data).hexdigest()[:16]}")
    return 0
