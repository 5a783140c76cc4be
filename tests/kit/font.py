"""Builds the shipped font: python -m tests.kit.font NotoSansCJK-Regular.ttc (needs fonttools).

Noto Sans SC cut down to what names and sentences need: GBK, the marks an office uses, and the
characters that people are called by and GBK lacks, those of the standard table first
(bot/papers/font/rare.txt).
"""

import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "bot" / "papers" / "font"
# The simplified Chinese face of Debian's collection.
_FACE = 2


def wanted() -> set[int]:
    found = {*range(0x20, 0x7F), *range(0xA0, 0x180)}
    found.update(map(ord, "①②③④⑤⑥⑦⑧⑨⑩■□▲△●○◆◇★☆→←↑↓—…·‰℃㎡№＃￥€✓✗"))
    for high in range(0x81, 0xFF):
        for low in (*range(0x40, 0x7F), *range(0x80, 0xFF)):
            try:
                found.add(ord(bytes((high, low)).decode("gbk")))
            except (UnicodeDecodeError, TypeError):
                continue
    found.update(ord(c) for c in (FOLDER / "rare.txt").read_text(encoding="utf-8") if c > " ")
    return found


def main(source: str) -> None:
    from fontTools import subset
    from fontTools.ttLib import TTFont

    font = TTFont(source, fontNumber=_FACE)
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.name_languages = [0x409]
    options.notdef_outline = True
    options.glyph_names = False
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "GPOS", "GSUB", "GDEF", "DSIG"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=wanted())
    subsetter.subset(font)
    target = FOLDER / "NotoSansSC-Regular.otf"
    font.save(target)
    print(target.stat().st_size, len(font.getBestCmap()))
    missing = wanted() - set(font.getBestCmap())
    print("".join(chr(c) for c in sorted(missing) if chr(c).isprintable()))


if __name__ == "__main__":
    main(sys.argv[1])
