"""Titles and the splitting of messages against the labelled ones: `python -m tests.evaluate.titles`."""

import argparse
import random
import re
import time
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean, median
from typing import Any

from handlers.chat.grammar import fold
from handlers.domain.category import Category
from handlers.understanding import read
from handlers.understanding.splitting import problems
from handlers.understanding.titles import title_of, tokens
from tests.evaluate.data import rows

FILES = ("messages", *(f"messages_{c}" for c in "abcdefg"))
MOST_PARTS = 5
_EMPTY = frozenset("的了是在有和与及对请求个一不要被把将")
_HAN = re.compile(r"[\u4e00-\u9fffA-Za-z0-9]")


def tickets() -> dict[str, list[dict[str, Any]]]:
    return {name: [r for r in rows(name) if r["is_ticket"]] for name in FILES}


def key(title: str) -> set[str]:
    """The characters of a title that carry its meaning."""
    return set(_HAN.findall(title)) - _EMPTY


def covered(expected: str, said: str) -> float:
    wanted = key(expected)
    return len(wanted & set(said)) / len(wanted) if wanted else 1.0


def reachable(expected: str, text: str) -> float:
    """What any title made of the message's own words could cover."""
    return covered(expected, fold(text))


def ends_inside(title: str, text: str) -> bool:
    """Whether the end of a title lies inside a known word, a number or a Latin word of the text."""
    flat = fold(text)
    last = title.split("，")[-1]
    at = flat.find(last)
    if at < 0:
        return False
    place = 0
    for token in tokens(flat):
        place += len(token.text)
        if place >= at + len(last):
            return place > at + len(last)
    return False


def titles(said: Iterable[dict[str, Any]], make: Callable[[str, Category], str]) -> list[float]:
    """Shares covered, of what could be covered, mean length, share too long, share ends inside."""
    single = [r for r in said if len(r["items"]) == 1]
    made = [(r, make(r["text"], Category(r["category"]))) for r in single]
    return [
        fmean(covered(r["expected_title"], t) for r, t in made),
        fmean(
            min(1.0, covered(r["expected_title"], t) / whole)
            for r, t in made
            if (whole := reachable(r["expected_title"], r["text"])) > 0
        ),
        fmean(len(t) for _, t in made),
        fmean(len(t) > 20 or not t for _, t in made),
        fmean(ends_inside(t, r["text"]) for r, t in made),
    ]


def _beginning(text: str, category: Category) -> str:
    return text[:20]


def _align(parts: Sequence[str], items: Sequence[dict[str, Any]]) -> list[tuple[int, int]]:
    """Parts with the items that they tell of, each at most once, the likest first."""
    scored = sorted(
        (
            (covered(i["expected_title"], p), a, b)
            for a, p in enumerate(parts)
            for b, i in enumerate(items)
        ),
        key=lambda s: (-s[0], s[1], s[2]),
    )
    pairs: list[tuple[int, int]] = []
    for share, a, b in scored:
        if share >= 0.3 and a not in {x for x, _ in pairs} and b not in {y for _, y in pairs}:
            pairs.append((a, b))
    return pairs


def splitting(said: Sequence[dict[str, Any]]) -> list[str]:
    many = [r for r in said if len(r["items"]) > 1]
    one = [r for r in said if len(r["items"]) == 1]
    torn = [r for r in one if len(problems(r["text"], MOST_PARTS)) > 1]
    found = [(r, problems(r["text"], MOST_PARTS)) for r in many]
    exact = [len(p) == min(len(r["items"]), MOST_PARTS) for r, p in found]
    pairs = [(r, p, _align(p, r["items"])) for r, p in found]
    parts = sum(len(p) for _, p, _ in pairs)
    items = sum(len(r["items"]) for r, _, _ in pairs)
    hits = sum(len(a) for _, _, a in pairs)
    right = [
        r["items"][b]["category"] == part_category(p[a], r["role"])
        for r, p, found_pairs in pairs
        if len(p) > 1
        for a, b in found_pairs
    ]
    return [
        f"one problem: {len(one)} messages, {len(torn)} torn ({len(torn) / len(one):.2%})",
        f"several: {len(many)} messages, count exact {fmean(exact):.3f}, "
        f"parts right {hits / parts:.3f} of {parts}, problems found {hits / items:.3f} of {items}, "
        f"category of a split part {fmean(right) if right else 0:.3f} of {len(right)}",
        f"number of items right over all {fmean([*exact, *([True] * (len(one) - len(torn))), *([False] * len(torn))]):.4f}",
    ]


def part_category(part: str, role: str) -> str | None:
    items = read(part, role, addressed=True).items
    return items[0].category.value if items else None


def wrong(said: Sequence[dict[str, Any]]) -> Iterable[str]:
    for r in said:
        parts = problems(r["text"], MOST_PARTS)
        if len(parts) != min(MOST_PARTS, len(r["items"])):
            yield f"{r['id']} {len(r['items'])} {r['text']!r}\n    -> {parts}"


def speed(said: Sequence[dict[str, Any]], work: Callable[[str], object]) -> str:
    took = []
    for r in said:
        start = time.perf_counter()
        work(r["text"])
        took.append(time.perf_counter() - start)
    took.sort()
    return (
        f"median {median(took) * 1e6:.0f} µs, mean {fmean(took) * 1e6:.0f}, "
        f"95th {took[int(len(took) * 0.95)] * 1e6:.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="titles", description=__doc__)
    parser.add_argument("--hundred", action="store_true", help="print a hundred titles to read")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wrong", action="store_true", help="print the messages split wrongly")
    args = parser.parse_args()
    by_file = tickets()
    said = [r for some in by_file.values() for r in some]
    if args.hundred:
        for r in random.Random(args.seed).sample(said, 100):
            for part in problems(r["text"], MOST_PARTS):
                category = Category(r["category"]) if part == r["text"] else None
                print(f"{title_of(part, category)}\n      {' '.join(part.split())[:110]}\n")
        return
    if args.wrong:
        print("\n".join(wrong(said)))
        return
    print("titles: covered, of the reachable, mean length, empty or too long, ends inside a word")
    for name, some in (*by_file.items(), ("all", said)):
        print(f"  {name:12}", *(f"{v:.3f}" for v in titles(some, title_of)))
    print(f"  {'first 20':12}", *(f"{v:.3f}" for v in titles(said, _beginning)))
    print("splitting:")
    for line in splitting(said):
        print(" ", line)
    print("one title:", speed(said, title_of))
    print("one splitting:", speed(said, lambda text: problems(text, MOST_PARTS)))


if __name__ == "__main__":
    main()
