"""Two laptops began with copies of one invitation, offline: the second one finds a way back in."""

from __future__ import annotations

from field_client.enrolment import enrol_again
from field_client.receipts import slip
from tests.journey.test_laptops import taken
from tests.town import Laptop, Town
from tests.vaults import refused


def invited(town: Town, name: str) -> bytes:
    admin = town.staff["ratna"]
    villages = ("82.72.03.2001", "82.72.03.2002")
    return town.central.devices.invite(admin, name, "van", name, villages, "Sari").file


def begins(town: Town, token: bytes, name: str) -> Laptop:
    """A laptop that has been working with an invitation, without a network."""
    laptop = Laptop(town, town.folder / name, "sari", name)
    laptop.enrol(token)
    town.laptops.append(laptop)
    return laptop


def test_the_second_laptop_goes_on_under_a_new_invitation_with_all_of_its_work(town: Town) -> None:
    token = invited(town, "van 01")
    first, second = begins(town, token, "first"), begins(town, token, "second")
    theirs = taken(town, first, "father")
    mine = taken(town, second, "mother", "old_man")
    second.edit(mine[0], applicant__phone="+6281200000009")
    codes = [second.open_sheet(record).code for record in mine]
    first.sync()
    refused("invitation.used", second.sync)
    refused("invitation.known", enrol_again, first.house, invited(town, "van 03"))
    refused("invitation.malformed", enrol_again, second.house, b"\xd2nothing")
    fresh = invited(town, "van 02")
    assert enrol_again(second.house, fresh) >= 4
    assert enrol_again(second.house, fresh) == 0  # doing it again changes nothing
    assert [second.open_sheet(record).code for record in mine] == codes
    taken(town, second, "son")
    assert second.sync().pending == 0
    stored = town.stored()
    assert {record.hex() for record in (*theirs, *mine)} < set(stored)
    assert len(stored) == 4
    assert [town.sheet(record).code for record in mine] == [str(code) for code in codes]
    assert town.sheet(mine[0]).answers["applicant.phone"] == "+6281200000009"
    assert [second.open_sheet(record).code for record in mine] == codes
    genuine = town.central.evidence.receipt(_token(second, mine[0]))
    assert (genuine.arrived, genuine.fits, genuine.code) == (True, True, str(codes[0]))
    assert town.cases() == []
    assert town.is_whole()
    second.edit(mine[1], applicant__phone="+6281200000010")
    assert second.sync().outcomes == {"applied": 1}


def _token(laptop: Laptop, record: bytes) -> bytes:
    from sync import base45

    return base45.decode(slip(laptop.house.desk, record, "id").token)


def test_nobody_takes_a_code_in_anothers_block_by_saying_so(town: Town) -> None:
    """A block is believed of what was made again only, and one code never names two requests."""
    token = invited(town, "van 01")
    first, second = begins(town, token, "first"), begins(town, token, "second")
    first.house.desk.chance = second.house.desk.chance = lambda _: 77
    (theirs,) = taken(town, first, "father")
    (mine,) = taken(town, second, "mother")
    first.sync()
    refused("invitation.used", second.sync)
    enrol_again(second.house, invited(town, "van 02"))
    second.sync()
    assert town.sheet(theirs).code != town.sheet(mine).code
    assert [line.kind for line in town.cases()] == ["code"]
