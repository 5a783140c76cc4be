"""A long page reaches WeCom whole: in parts, between lines, each within its 2,048 bytes."""

from bot.platforms.wecom.codec import APP_TEXT_BYTES, pieces


def test_a_page_of_thirty_lines_is_parted_between_lines_and_nothing_is_lost() -> None:
    page = "\n".join(
        f"#{n} 东和半导体｜年底续贷要压三百万｜许主任·联络员小周｜超期{n}小时"
        for n in range(1001, 1031)
    )
    parts = pieces(page, APP_TEXT_BYTES)
    assert 1 < len(parts) <= 4
    assert all(len(p.encode()) <= APP_TEXT_BYTES for p in parts)
    assert "\n".join(parts) == page


def test_a_short_text_is_one_part_and_an_endless_one_is_cut_in_the_fourth() -> None:
    assert pieces("已登记", APP_TEXT_BYTES) == ["已登记"]
    assert pieces("", APP_TEXT_BYTES) == [""]
    endless = pieces("\n".join(["长" * 600] * 9), APP_TEXT_BYTES)
    assert len(endless) == 4
    assert endless[-1].endswith("…")
    assert pieces("长" * 999, APP_TEXT_BYTES)[0].endswith("…")
