"""Telling: what happened to a request, and what is asked of people, in words."""

from __future__ import annotations

import msgspec

from models import handover, lifecycle, questions
from models.problems import Problem
from models.remarks import sentence
from models.services import Service, catalogue
from server.disputes import unit_words
from server.duplicates import SYSTEM
from server.pages.drawing import Here
from server.sheets import Event, RequestSheet
from sync.state import REASON_PREFIX


class Happened(msgspec.Struct, frozen=True):
    """One line of a history. at: central's clock."""

    at: int
    who: str
    words: str
    reason: str


def form_of(sheet: RequestSheet) -> Service | None:
    """The form of a request, if this central has it."""
    try:
        return catalogue().service(sheet.service, sheet.edition)
    except Problem:
        return None


def unit(here: Here, sheet: RequestSheet, name: str) -> str:
    """What a unit is called."""
    return unit_words(form_of(sheet), name, here.lang)


def event_words(here: Here, sheet: RequestSheet, event: Event) -> Happened:
    """An event as people read it. Values are left out: they stand in the data, and old ones in the
    disputes about them."""
    why = _why(here, sheet, event) if event.reason else ""
    who = here.say("sistem") if event.who == SYSTEM else event.who
    return Happened(event.at, who, _what(here, sheet, event), why)


def _why(here: Here, sheet: RequestSheet, event: Event) -> str:
    if event.what == handover.ACTION:
        return handover.said(event.reason, here.lang)
    return sentence(event.reason, form_of(sheet), here.lang)


def _what(here: Here, sheet: RequestSheet, event: Event) -> str:
    name = _unit(here, sheet, event)
    match event.what:
        case "created":
            return here.say("Permohonan dicatat")
        case "wrote":
            return name
        case "attached":
            return here.say("Lampiran: {unit}", unit=name)
        case "held":
            return here.say("Usulan menunggu putusan: {unit}", unit=name)
        case "case":
            words = name if event.unit else kinds(here).get(event.value, here.say("Kejadian"))
            return here.say("Perkara dibuka: {unit}", unit=words)
        case "linked":
            return here.say("Digabung dengan berkas lain")
        case "separated":
            return here.say("Dipisahkan lagi")
        case _ if event.what.startswith("decided"):
            return (
                here.say("Diputuskan: {unit}", unit=name)
                if event.unit
                else here.say("Perkara ditutup")
            )
        case _ if event.what in lifecycle.ACTIONS:
            return lifecycle.action_label(event.what).words(here.lang)
    return event.what


def kinds(here: Here) -> dict[str, str]:
    """What cases about requests are called, but for incidents."""
    return {
        "duplicate": here.say("Mungkin ganda"),
        "identity": here.say("Data orang bertentangan"),
        "escalated": here.say("Menunggu penyelia"),
    }


def _unit(here: Here, sheet: RequestSheet, event: Event) -> str:
    """What an event was about; questions to the field by what they are."""
    if event.unit.startswith(REASON_PREFIX):
        key = event.unit.removeprefix(REASON_PREFIX)
        if key.startswith(questions.ASK):
            return (
                here.say("Pertanyaan ke lapangan")
                if event.value
                else here.say("Pertanyaan ditarik")
            )
        if key.startswith(questions.REPLY):
            return here.say("Jawaban dari lapangan")
        return here.say("Alasan: {unit}", unit=key)
    return unit(here, sheet, event.unit) if event.unit else ""
