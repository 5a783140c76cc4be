"""结对 泓曜精密 小吴; 移交企业 小周 小吴: who serves a firm."""

import re

from handlers.chat.filters import Office
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.domain.errors import BadInput
from handlers.services.handover import HandOver
from handlers.services.moves import Asked
from handlers.services.people import PeopleService
from handlers.texts import handover as say

router = Router("pairing")


@router.command(
    "结对",
    "换联络员",
    "更换联络员",
    who=Office,
    usage="结对 泓曜精密 小吴",
    about="换企业的联络员或分管领导，在办工单随之移交",
)
def pair(asked: Asked, people: PeopleService, hand_over: HandOver) -> Reply:
    by = asked.speaker.person
    assert by is not None
    named, _, name = asked.rest.strip().rpartition(" ")
    if not named or not name:
        raise BadInput("pair_usage")
    names = [n for n in re.split(r"[、,，\s]+", named.strip()) if n]
    firms = tuple(people.firm_named(n) for n in names)
    person = people.staff_named(re.sub(r"^(?:给|由|为|到)", "", name))
    count = hand_over.change(firms, person, by)
    return Reply.say(say.paired(firms, person, count))


@router.command(
    "移交企业", who=Office, usage="移交企业 小周 小吴", about="把一位联络员的企业全部转给另一位"
)
def move_all(asked: Asked, people: PeopleService, hand_over: HandOver) -> Reply:
    by = asked.speaker.person
    assert by is not None
    names = [n for n in re.split(r"[、,，\s]+(?:给|转给)?|给|转给", asked.rest.strip()) if n]
    if len(names) != 2:
        raise BadInput("pair_usage")
    old, new = (people.staff_named(n) for n in names)
    firms = hand_over.served_by(old)
    if not firms:
        return Reply.say(say.nothing_to_hand_over(old))
    if say.PARTS.get(new.role) != "liaison_id":
        raise BadInput("pair_role", name=new.name)
    count = hand_over.change(firms, new, by)
    return Reply.say(say.paired(firms, new, count))
