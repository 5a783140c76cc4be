"""定时任务: what the bot does by itself and when; the office changes it."""

from handlers.chat.filters import Office
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.domain.errors import NoSuch
from handlers.domain.schedule import ScheduleKind
from handlers.ports import Clock, Work
from handlers.services.moves import Asked
from handlers.services.schedules import ScheduleService
from handlers.texts import reminders as say

router = Router("plan")
_OFF = ("停用", "停", "关", "关闭")
_ON = ("启用", "开", "恢复", "打开")


@router.command("定时任务", who=Office, usage="定时任务", about="看日调度等几点发")
def show(work: Work, clock: Clock) -> Reply:
    return Reply.say(say.plan(work.schedules.of_kind(ScheduleKind.JOB), clock.now()))


@router.command("定时", who=Office, usage="定时 日调度 每工作日 08:30", about="改时间、停用、启用")
def change(asked: Asked, schedules: ScheduleService, work: Work, clock: Clock) -> Reply:
    name, _, rest = asked.rest.partition(" ")
    rows = work.schedules.of_kind(ScheduleKind.JOB)
    if not name:
        return Reply.say(say.plan(rows, clock.now()))
    found = [s for s in rows if name in (say.job_name(s), s.key)]
    if not found:
        raise NoSuch("schedule", name)
    by = asked.speaker.person
    assert by is not None
    said = rest.strip()
    if said in _OFF + _ON:
        changed = schedules.change(found[0].key, by.id, on=said in _ON)
    else:
        changed = schedules.change(found[0].key, by.id, rule=said or found[0].rule)
    return Reply.say(say.plan_changed(changed, clock.now()))
