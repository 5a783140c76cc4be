"""A survey with defaults."""

from datetime import timedelta
from typing import Any

from handlers.domain.announcement import Audience
from handlers.domain.ids import PersonId
from handlers.domain.survey import Survey
from handlers.understanding.survey_words import questions_in
from tests.kit.builders import NOW


def a_survey(**more: Any) -> Survey:
    values: dict[str, Any] = {
        "number": 1,
        "title": "用工缺口",
        "purpose": "安排招聘专场",
        "questions": questions_in("挡车工(名)、机修(名)"),
        "audience": Audience(everybody=True),
        "due_at": NOW + timedelta(days=3),
        "created_by": PersonId("P055"),
        "created_at": NOW,
        **more,
    }
    return Survey(**values)
