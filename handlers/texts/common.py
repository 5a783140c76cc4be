"""Greetings, refusals, help, and times as the reader says them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from handlers.domain.errors import Refusal
from handlers.domain.ticket import NOT_ACCEPT_REASONS
from handlers.domain.workdays import SHANGHAI

_WEEKDAYS: Final = "一二三四五六日"


def reader_time(at: datetime | None, now: datetime) -> str:
    """今天 14:30, 明天 08:30, 周五 11:30, 12月3日 17:30."""
    if at is None:
        return "未定"
    local, today = at.astimezone(SHANGHAI), now.astimezone(SHANGHAI).date()
    clock = f"{local.hour:02}:{local.minute:02}"
    days = (local.date() - today).days
    near = {-1: "昨天", 0: "今天", 1: "明天", 2: "后天"}.get(days)
    if near is not None:
        return f"{near} {clock}"
    monday = today - timedelta(days=today.weekday())
    if 0 <= (local.date() - monday).days < 7 and days > 0:
        return f"周{_WEEKDAYS[local.weekday()]} {clock}"
    if local.year == today.year:
        return f"{local.month}月{local.day}日 {clock}"
    return f"{local.year}年{local.month}月{local.day}日 {clock}"


def short(text: str, length: int) -> str:
    """One line of at most `length` characters; what is cut ends in an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


MOVE_NAMES: Final = {
    "submit": "登记",
    "name_firm": "补登企业",
    "correct_firm": "更正企业",
    "follow_up": "补充",
    "reclassify": "改分类",
    "set_confidential": "设为保密",
    "link": "关联",
    "claim": "认领",
    "answer": "答复",
    "transfer": "转办",
    "transfer_accept": "接受转办",
    "transfer_refuse": "不接受转办",
    "reassign": "改派",
    "decline": "退单",
    "progress": "进展",
    "ask": "请企业补充",
    "reply": "企业补充",
    "answer_overdue": "企业未答复",
    "refer": "转部门",
    "department_result": "部门回复",
    "recall": "收回",
    "shelve": "申请挂账",
    "shelve_approve": "同意挂账",
    "shelve_refuse": "不同意挂账",
    "review": "挂账复核",
    "resolve": "办结",
    "retract": "撤回办结",
    "verdict_yes": "企业确认解决",
    "verdict_no": "企业反馈未解决",
    "rate": "评价",
    "close_silent": "到期销号",
    "reopen": "重办",
    "withdraw": "撤回",
    "not_accept": "不予受理",
    "merge": "合并",
    "absorb": "并入",
    "unmerge": "取消合并",
    "split": "拆分",
    "extend": "申请延期",
    "extend_approve": "同意延期",
    "extend_refuse": "不同意延期",
    "urge": "催办",
    "supervise": "督办",
    "escalate": "提级",
    "acknowledge": "知悉",
    "recount": "按新日历重算时限",
}
STATE_NAMES: Final = {
    "open": "待认领",
    "in_progress": "办理中",
    "waiting_enterprise": "待企业补充",
    "waiting_department": "已转部门",
    "shelved": "挂账",
    "resolved": "已办结待评价",
    "closed": "已销号",
    "withdrawn": "企业撤回",
    "not_accepted": "不予受理",
    "merged": "已并入",
}
ANNOUNCEMENT_STATES: Final = {
    "draft": "草稿",
    "approved": "待发送",
    "sending": "发送中",
    "paused": "已暂停",
    "sent": "已发送",
    "withdrawn": "已撤回",
    "expired": "已过期",
}
# Card status fields hold six characters.
STATE_CHIPS: Final = {**STATE_NAMES, "resolved": "待评价", "waiting_enterprise": "待企业补充"}
RATING_NAMES: Final = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}

_BAD_INPUT: Final = {
    "policy_title": "请写政策名称。",
    "policy_text": "请写政策的摘要或正文。",
    "policy_dates": "政策的起止日期颠倒了，请核对。",
    "policy_successor": "接替的政策编号不对，请核对。",
    "policy_role": "政策库由办公室和分管领导维护，请联系办公室。",
    "policy_withdrawn": "这项政策已撤下，请先修改再审核。",
    "policy_approved": "这项政策已经启用，不用再审核。",
    "policy_author": "自己写的要由另一位同事审核。",
    "policy_which": "请写政策编号，例如：看政策 12。编号用「查政策 稳岗补贴」查。",
    "policy_ticket": "请写工单编号，例如：存入政策库 1024。",
    "empty_result": "请用一句话说明怎么办结的，例如：办结 {number} 已联系人社局安排招聘专场，到岗12人。",
    "progress_too_short": "请多写几个字，说明办到哪一步，例如：进展 {number} 已联系人社局，周三前答复。",
    "progress_repeated": "这条进展和上一条一样，请写新的进展。",
    "reason_needed": "请写明理由。",
    "reason_listed": f"请从这些理由中选一个：{'、'.join(NOT_ACCEPT_REASONS.values())}。",
    "person_needed": "请写明由哪位同事接办，例如：转办 {number} 小吴 理由。",
    "owner_already": "现在就由{name}办理，不用再转。",
    "transfers_used": "已转办{limit}次，请由办公室决定由谁办理。",
    "nothing_pending": "没有待您答复的申请。",
    "at_duty_desk": "现在由办公室值班负责，请直接改派。",
    "decline_too_late": "接单超过{days}个工作日，不能退单；可以申请转办。",
    "question_needed": "请写明要企业补充什么，例如：补充材料 {number} 请提供用电户号。",
    "pause_budget": "等企业补充的时间已用满，请先按现有情况办理。",
    "reply_needed": "请直接写要补充的内容。",
    "department_needed": "请写明转给哪个部门，例如：转部门 {number} 人社局 11月27日前。",
    "until_past": "时间已经过去，请另写一个日期。",
    "until_beyond_due": "不能晚于办结时限{due}，请另写一个日期。",
    "until_needed": "请写明延到哪一天，例如：延期 {number} 12月5日 理由。",
    "until_not_later": "新的时限要晚于原时限{due}。",
    "until_too_far": "时限不能超过{days}天，请另写一个日期。",
    "target_wrong": "时限要大于0；按工作日计的时限要是整数。",
    "target_too_far": "时限超过{days}天，请改短。",
    "told_needed": "请写明怎样告知企业。",
    "review_needed": "请写明复核日期，例如：挂账 {number} 1月15日 理由；已告知企业什么。",
    "review_too_far": "复核日期不能超过{days}天。",
    "extensions_used": "已延期{limit}次，不能再延；请找分管领导商量。",
    "extend_too_late": "延期要在到期前{days}个工作日提出，现在已来不及。",
    "already_overdue": "已经超期，不能再延期。",
    "verdict_given": "企业已经评价，不能撤回办结。",
    "rating_needed": "请回复1到5分，或者：非常满意、满意、基本满意、不满意、非常不满意。",
    "rating_over": "评价时间已过；还有问题请直接说，我们重新登记。",
    "already_rated": "您已评价过这一次，感谢反馈。",
    "reopen_too_late": "销号已超过{days}个工作日，请直接说明问题，我们登记为新工单。",
    "supervised": "正在督办，不能撤回，请联系分管领导。",
    "target_needed": "请写明另一个工单号，例如：合并 {number} 到 1030。",
    "other_firm": "不是同一家企业的工单，不能合并；可以用关联。",
    "unmerge_too_late": "合并已超过{days}个工作日，不能取消。",
    "urge_too_soon": "刚催办过，已再次提醒承办人；隔{gap}可再催。",
    "supervised_already": "已在督办，编号{code}。",
    "meeting_too_far": "日期要在今后{days}天之内，请另写一个日期。",
    "nothing_to_acknowledge": "没有需要知悉的提级。",
    "nothing_changes": "登记的就是这样，没有变化。",
    "title_length": "标题请写2到{most}个字。",
    "firm_known": "企业已登记，不用再补。",
    "firm_needed": "请写明是哪家企业。",
    "firm_same": "现在登记的就是这家企业。",
    "text_needed": "请写明内容。",
    "number_needed": "请写明工单号，例如：{word} 1024。",
    "date_unclear": "没看懂日期，请写成 12月5日 或 2026-12-05。",
    "category_unclear": "没看懂类别，请写成：用工、水电气、物流、环保、安全、政策等之一。",
    "too_long": "内容太长，请分两次发。",
    "stays_confidential": "保密工单不能取消保密。",
    "no_higher_level": "已是最高一级。",
    "not_due": "还没有到期。",
    "code_needed": "缺少督办编号。",
    "bound_already": "您的身份已登记，不用再绑定。",
    "which_firm": "有几家企业名称相近，请问是{names}中的哪一家？",
    "which_person": "有几位同事同名，请问是{names}中的哪一位？",
    "bind_usage": "请回复「绑定 企业简称 称呼」，例如：绑定 泓曜精密 张经理。",
    "schedule_unclear": "没看懂「{text}」，请写成：每工作日 08:20、每周五 15:00、每月最后一个工作日 16:30。",
    "remind_hours": "提醒只在{since}到{until}发送，请换个时间。",
    "remind_when": "请写明什么时候提醒，例如：明天15:00提醒我问1024。",
    "remind_what": "请写明提醒什么，例如：明天15:00提醒我问1024。",
    "remind_many": "群发提醒由分管领导或办公室来设；您可以提醒自己或一位同事。",
    "remind_most": "提醒最多{limit}个，请先取消不用的。",
    "leave_when": "请写明请假到哪一天，例如：我请假 11.24-11.26。",
    "leave_none": "没有登记请假，不用销假。",
    "leave_office": "替同事登记请假、销假由办公室来做。",
    "duty_office": "{name}不是办公室的人员，值班请排办公室的同事。",
    "duty_usage": "请写明日期和人，例如：排班 11.24-11.30 小王。",
    "pair_usage": "请写明企业和人，例如：结对 泓曜精密 小吴；移交企业 小周 小吴。",
    "pair_role": "{name}不是联络员、分管领导或网格人员，不能结对。",
    "signup_title": "请写明报名什么，2到{most}个字，例如：发起接龙 羽毛球赛；名额60；截止 11月30日12:00。",
    "signup_chat": "还没有登记主群，请到群里发「发起接龙」。",
    "signup_quota": "名额请写1到{most}。",
    "signup_quota_taken": "已报{taken}人，名额不能比这更少。",
    "signup_quota_usage": "请写明名额，例如：接龙名额 1 80；不限请写「不限」。",
    "signup_over": "这个接龙已截止。",
    "signup_role": "接龙的发起、修改和结束由办公室或分管领导来做。",
    "signup_which": "请写明是哪一个接龙，例如：接龙名单 1。",
    "audience_needed": "请写明发给哪些企业，例如：长洪；3网格；规上；泓曜、玖晟；全部企业。",
    "survey_title": "标题请写2到{most}个字。",
    "survey_purpose": "请写明用途，2到{most}个字，企业会看到。",
    "survey_questions": "请写要填的项目，1到{most}项，例如：挡车工(名)、机修(名)。",
    "survey_question_name": "每个项目的名称请写1到{most}个字。",
    "survey_question_twice": "有两个项目名称相同，请改一个。",
    "survey_choices": "「{question}」请写2到10个选项，例如：班次(选:一班/两班/三班)。",
    "survey_columns": "「{question}」请写2到6列，例如：设备(表:名称,台数)。",
    "survey_nobody": "这个范围里没有企业，请核对对象。",
    "survey_role": "摸排的发起、审核和结束由办公室或分管领导来做。",
    "survey_author": "请由发起人确认，或由另一位同事回复「同意摸排」。",
    "survey_own": "您可以向自己联系的企业摸排；要发给别的企业，请由办公室或分管领导发起。",
    "survey_own_fill": "这家企业不归您联系，请由它的联络员或办公室代填。",
    "survey_again": "已有数据，是否直接使用：摸排 {survey}「{title}」，{asked}家中{answered}家已报。看汇总请回复「摸排 {survey} 汇总」；90天内内容相同的不再重复要企业报。",
    "survey_not_draft": "这个摸排已经发出或取消，不能再改。",
    "survey_second": "摸排要由另一位同事同意，不能自己同意自己的。",
    "survey_not_asked": "这个摸排没有发给这家企业。",
    "survey_not_open": "这个摸排现在不能填报。",
    "survey_which": "请写明是哪一个摸排，例如：摸排 3 汇总。",
    "survey_empty": "没有看出要填的数，请写成「项目 数」，例如：挡车工15，机修3。",
    "survey_fill_usage": "请写明摸排编号、企业和数，例如：代填 3 泓曜 挡车工15，机修3。",
    "announce_which": "请写明通知的编号，例如：{act} 3；发「通知列表」看编号。",
    "announce_title": "请写标题，例如：标题：安全生产提醒。",
    "announce_title_long": "标题请不超过{most}个字。",
    "announce_text": "请写正文，例如：正文：……。",
    "announce_text_long": "正文请不超过{most}个字，长的内容请放附件。",
    "announce_kind": "通知的类别请写：通知、政策、预警、停水停电、更正之一。",
    "announce_route": "方式请写：群发、私聊或两者都发。",
    "announce_audience": "没看懂对象里的「{text}」，请写片区、网格、标签或企业简称，例如：长洪 危化。",
    "announce_nobody": "没有符合对象的企业，请换个范围。",
    "announce_time": "没看懂时间「{text}」，请写成 明天9:00、下一个工作日14:00 或 每周一 9:00。",
    "announce_until": "有效期要晚于发送时间。",
    "announce_corrects": "更正要写明更正哪一条，例如：发更正 3。",
    "announce_corrects_kind": "要指向另一条通知，类别请选更正。",
    "announce_corrects_unknown": "没有发过通知 {number}，请核对编号。",
    "announce_secret": "没有发出：里面有「{words}」，不能发给企业。请删去后再发。",
    "announce_role": "发通知、审核和撤回由办公室或分管领导来做。",
    "announce_liaison": "联络员只能给自己挂钩的企业私聊发通知；要发更多企业请找办公室。",
    "announce_own": "自己写的通知要由另一位同事审核。",
    "announce_not_submitted": "这条通知还没有送审。",
    "announce_no_approver": "没有可以审核的同事，请先登记办公室或分管领导。",
    "announce_state": "这条通知现在是「{state}」，不能这样操作。",
    "announce_changed": "这条通知刚刚有了变化，请看最新情况后再操作。",
    "announce_over": "这条通知已过有效期，不能再发。",
    "file_too_large": "文件超过 20 MB，请压缩后再传。",
    "file_too_many": "附件最多{most}个。",
    "file_empty": "文件是空的，请重新选择。",
    "file_type": "只能传图片（PNG、JPEG、GIF、WebP）、PDF 和 Word（.docx）。",
    "file_false": "文件内容和它的后缀「{ending}」不符，请另存为正确的格式再传。",
    "file_broken": "文件打不开，请重新保存后再传。",
    "file_bomb": "文件解开后太大，不能传。",
    "file_secret": "里面有「{words}」，不能发给企业，请删去后再传。",
    "file_active": "文件里带有可执行的内容（{what}），请去掉后再传。",
    "visit_inspects": "走访记录里不写检查、执法：涉企检查要另有计划和权限，请按检查程序办。删去这部分可以再发。",
    "visit_ahead": "走访时间还没到；要先定下来请说，例如：走访计划 泓曜精密 下周三。",
    "visit_unclear": "没看出要改哪一项，请说得具体些，例如：见的是副总；时间是昨天下午；用工：缺焊工3人。",
    "visit_number": "请写明是哪一次走访，例如：{word} 3；发「走访台账」看编号。",
    "visit_book": "没看懂范围，请写企业、同事或月份，例如：走访台账 东和 11月。",
    "visit_plan": "请写明企业和时间，例如：走访计划 泓曜精密 下周三。",
    "campaign_name": "专项名称请写2到20个字。",
    "campaign_exists": "已有专项 {name}，请换个名称。",
    "campaign_states": "状态请写2到6个，每个2到6个字，从没办的到办好的，例如：未签/已签。",
    "campaign_rounds": "轮次请写1到10。",
    "campaign_usage": "请写名称和状态，例如：新建专项 空间再造 未签/已签；分两轮的再加：两轮。",
    "campaign_target": "请写分组、房号和名称，例如：专项加 空间再造 5号楼 203 某某建材。",
    "campaign_most": "一个专项最多{limit}个对象，请分开建。",
    "campaign_group": "请到要发进度的群里说这句话。",
    "campaign_problem": "没看出是哪个对象，请写分组和房号或名称，例如：专项问题 5号楼203 过渡房没落实。",
    "tick_campaign": "有几个专项都对得上：{names}，请写明是哪一个。",
    "tick_one_round": "一句话里有几轮，请一轮一条。",
    "tick_round": "{name}只有{rounds}轮，请核对轮次。",
    "tick_place": "{name}没有{places}这个房号，请核对。",
    "tick_none": "{name}里没有找到这个对象，请核对名称。",
    "tick_back": "要恢复哪一户，请写明房号或名称。",
    "tick_whole": "{where}原来就全部{state}，没有改动。",
    "tick_over": "{where}{state}的只有{left}户，请核对数字，没有改动。",
    "tick_count": "{where}完成了多少{unit}，请写数字，例如：3网格敲门120户。",
    "tick_too_many": "{where}一共{total}户，之前已有{done}户，请核对数字，没有改动。",
    "group_usage": "请写用途、负责人、到期日，例如：群设置 用途：防汛专班，负责人：小周，到期：12月31日。",
    "group_which": "请写明是哪个群，例如：{word} 防汛专班群。",
    "group_owner": "这个群由{owner}或办公室来定。",
    "group_main": "主群不归档。",
    "group_archived": "{name}已经归档。",
    "report_usage": "请写企业和情况，例如：代报 东和 车间缺操作工5人。",
}


_AFTER_CLAIM: Final = frozenset({"progress", "resolve", "ask", "refer", "shelve"})
# How a move is said after 不能.
_ACTS: Final = {
    "progress": "写进展",
    "reply": "补充",
    "department_result": "记部门回复",
    "recall": "记部门回复",
    "extend": "申请延期",
    "extend_approve": "批准延期",
    "extend_refuse": "答复延期申请",
    "shelve_approve": "批准挂账",
    "shelve_refuse": "答复挂账申请",
    "transfer_accept": "接办",
    "transfer_refuse": "答复转办",
    "verdict_yes": "确认解决",
    "verdict_no": "要求重办",
    "review": "恢复办理",
    "not_accept": "登记为不予受理",
}


def _acts(move: object) -> str:
    return _ACTS.get(str(move)) or MOVE_NAMES.get(str(move), "这样做")


def _spoken(values: dict[str, object], now: datetime) -> dict[str, object]:
    def said(value: object) -> object:
        if isinstance(value, datetime):
            return reader_time(value, now)
        return working(value) if isinstance(value, timedelta) else value

    return {key: said(value) for key, value in values.items()}


def natural(span: timedelta) -> str:
    """10分钟, 2小时, 1小时30分钟, 3天."""
    minutes = round(span / timedelta(minutes=1))
    days, hours, rest = minutes // 1440, minutes // 60, minutes % 60
    if days >= 2 and not minutes % 1440:
        return f"{days}天"
    return "".join(f"{n}{unit}" for n, unit in ((hours, "小时"), (rest, "分钟")) if n) or "0分钟"


def working(span: timedelta) -> str:
    """4个工作小时, 1.5个工作小时."""
    return f"{round(span / timedelta(hours=1), 2):g}个工作小时"


def refused(refusal: Refusal, now: datetime, owner_name: str = "") -> str:
    """The sentence of a refusal, one thing asked for."""
    values = _spoken(dict(refusal.values), now)
    number = values.get("number")
    head = f"#{number} " if number else ""
    code = refusal.code
    if code == "bad_input":
        sentence = _BAD_INPUT.get(str(values["reason"]), "没有看懂，请换个说法。")
        return head + sentence.format(**{"number": "", "name": "", **values}).replace("  ", " ")
    if code == "unknown_ticket":
        return f"没有找到工单 {number}，请核对编号。"
    if code == "not_allowed":
        act = _acts(values["move"])
        return f"{head}您不能{act}。发「查 {number}」看由谁办理。"
    if code == "not_for_you":
        word = values["word"]
        return f"您不能使用{f'「{word}」' if word else '这个按钮'}。发「帮助」看您可以怎么说。"
    if code == "illegal_move":
        if values["state"] == "open" and values["move"] in _AFTER_CLAIM:
            return f"{head}还没有认领，请先回复「认领 {number}」。"
        state = STATE_NAMES.get(str(values["state"]), "")
        return (
            f"{head}现在是「{state}」，不能{_acts(values['move'])}。发「查 {number}」看最新情况。"
        )
    if code in ("not_permitted", "wrong_state"):
        values["state"] = ANNOUNCEMENT_STATES.get(str(values.get("state", "")), "")
        return _BAD_INPUT[str(values["reason"])].format(**values)
    if code == "already_taken":
        return f"{head}已由{owner_name or '值班室'}认领。"
    if code == "stale_entry":
        return "刚刚有人改过这一项，请看最新内容后再操作。"
    if code == "stale_version":
        return f"{head}刚刚有了变化，请看最新情况后再操作。"
    if code == "no_such":
        kinds = {
            "person": "这位同事",
            "firm": "这家企业",
            "chat": "这个群",
            "schedule": "这一项",
            "reminder": "这个提醒",
            "signup": "这个接龙",
            "survey": "这个摸排",
            "announcement": "这条通知",
            "file": "这个附件",
            "policy": "这项政策",
            "visit": "这次走访",
            "campaign": "这个专项",
        }
        name = str(values["name"])
        by = "编号" if name.isdigit() else "名称"
        return f"没有找到{kinds.get(str(values['what']), '')}：{name}，请核对{by}。"
    return f"{head}现在不能这样操作。"


def unsure_command(usage: str) -> str:
    word = usage.partition(" ")[0]
    sent = f"请发「{word}」" if usage == word else f"请照「{usage}」这样发"
    return f"您是想「{word}」吗？{sent}；发「帮助」看全部用法。"


def look_up(number: str) -> str:
    """The command that a bare number stands for."""
    return f"查 {number}"


def not_understood() -> str:
    return "没看懂这句话。要反映问题请直接说是什么事；发「帮助」看全部用法。"


def help_text(title: str, lines: Iterable[tuple[str, str]], bot: str) -> str:
    """Role-aware help: one usage a line."""
    body = "\n".join(f"· {usage}：{about}" for usage, about in lines)
    return f"{title}，在群里 @{bot} 或私聊都可以：\n{body}"


def help_title(role: str | None) -> str:
    if role == "manager":
        return "遇到困难直接说就行，我会登记并找到您的联络员"
    if role is None:
        return "遇到困难直接说就行，我会登记并转给值班同事"
    return "您可以这样办单"


def greeting(name: str, bot: str) -> str:
    who = f"{name}，您好。" if name else "您好。"
    return f"{who}我是{bot}。有用工、物流、水电、政策等问题直接告诉我，我登记后请联络员来办。"


def ask_me_alone() -> str:
    return "群里不方便显示，请私聊我查看。"
