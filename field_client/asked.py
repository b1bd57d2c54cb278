"""Asked: what the office wants to know about requests of this laptop, and the answers given here.

A question comes as a reason of a request (`models.questions`) with a notice; the answer goes back
as a change like any other, with the next sync or stick.
"""

from __future__ import annotations

import msgspec

from field_client import shown
from field_client.desk import Desk
from field_client.sheet import Sheet
from field_client.vault.requests import Line
from models import lifecycle, questions, remarks
from models.changes import Body
from models.problems import Problem
from models.questions import Question


class Waiting(msgspec.Struct, frozen=True):
    """A question nobody has answered. title: of the service; about: the answer or document it
    concerns, in words; by, at: who asked, central's clock."""

    line: Line
    question: Question
    title: str
    about: str
    by: str
    at: int


def waiting(desk: Desk, lang: str = "id") -> list[Waiting]:
    """Newest first."""
    found: dict[tuple[bytes, int], Waiting] = {}
    asked = [told.notice for told in desk.store.notices.asked()]
    pages = {record: desk.find_sheet(record) for record in {one.record for one in asked}}
    for notice in asked:
        page = pages[notice.record]
        if page is None or lifecycle.ended(page.status):
            continue
        key = notice.unit.partition(":")[2]
        for one in questions.questions(page.picture.reasons):
            if one.key == key and one.waits:
                about = remarks.label(page.service, one.about, lang) if one.about else ""
                title = shown.title(page.line.service, None, lang)
                found.setdefault(
                    (notice.record, one.n),
                    Waiting(page.line, one, title, about, notice.by, notice.at),
                )
    return list(found.values())


def answer(desk: Desk, page: Sheet, number: int, text: str) -> Question:
    """Answer question `number` of a request. Problems question.unknown,
    question.unanswered, reason.too_long, request.closed."""
    if lifecycle.ended(page.status):
        raise Problem("request.closed", code=page.code)
    found = [q for q in questions.questions(page.picture.reasons) if q.n == number and q.text]
    if not found:
        raise Problem("question.unknown", n=number)
    text = questions.checked(text)
    if not text:
        raise Problem("question.unanswered")
    desk.append(page, Body(reasons={found[0].reply: text}))
    return found[0]
