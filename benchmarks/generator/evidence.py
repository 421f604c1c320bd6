"""What each record shows of its person.

A record is about somebody at home or at work, at a time, in a source; that decides which of the
person's mailboxes, numbers, addresses and employers it has. Then one rule keeps the truth within
reach: a record that shares nothing telling with the person's earlier records is given one thing
that does. So nearly every duplicate can be found from the records themselves, directly or through
another record; what makes it hard is what *different* people share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.generator.layout import MAX_RECORDS
from benchmarks.generator.people import FIRST_DAY, HEAD, LAST_DAY, NEVER
from benchmarks.generator.sources import SOURCES

if TYPE_CHECKING:
    from benchmarks.generator.draw import Bools, Draw, Ints
    from benchmarks.generator.people import People

# what a record can show that tells who it is: one bit each
KINDS = (
    "private_1",
    "private_2",
    "work_1",
    "work_2",
    "mobile_1",
    "mobile_2",
    "birthday",
    "home_1",
    "home_2",
    "company_1",
    "company_2",
    "landline_1",
    "landline_2",
    "family_mail",
)
BIT = {kind: 1 << number for number, kind in enumerate(KINDS)}
# which of them is likely to be the one that two records of a person have in common
LIKELY = (6, 3, 4, 4, 5, 4, 3, 4, 4, 3, 3, 1.5, 1.5, 1.5)
PERSONAL = sum(BIT[kind] for kind in KINDS[:7])
# the chance that a record which shares nothing stays so: a few are beyond anybody's reach
UNREACHABLE = 0.005

# codes of the slots; 0 is nothing everywhere
NO_MAIL, PRIVATE_1, PRIVATE_2, WORK_1, WORK_2, FAMILY_MAIL, GROUP_1, GROUP_2, HEADS_MAIL = range(9)
NO_PHONE, MOBILE_1, MOBILE_2, LAND_1, LAND_2, SWITCH_1, SWITCH_2, DIRECT_1, DIRECT_2 = range(9)
NO_ADDRESS, HOME_1, HOME_2, OFFICE_1, OFFICE_2 = range(5)


@dataclass
class Evidence:
    """The slots of one record per element; codes as above."""

    day: Ints
    mail: Ints
    other_mail: Ints
    phone: Ints
    mobile: Ints  # 0, MOBILE_1 or MOBILE_2
    address: Ints
    company: Ints  # 0 none, 1 the first employer, 2 the second
    birthday: Bools
    at_work: Bools
    certain: Bools  # something personal ties the record to an earlier one, or it is the first

    def take(self, rows: Ints) -> Evidence:
        """The evidence of some of the records."""
        return Evidence(**{name: values[rows] for name, values in vars(self).items()})

    def put(self, rows: Ints, other: Evidence) -> None:
        """Replace the evidence of some of the records."""
        for name, values in vars(self).items():
            values[rows] = getattr(other, name)

    def bits(self) -> Ints:
        """What the records show, as a sum of `BIT`s."""
        out = np.zeros(len(self.mail), dtype=np.int64)
        for slot in (self.mail, self.other_mail):
            for code, kind in (
                (PRIVATE_1, "private_1"),
                (PRIVATE_2, "private_2"),
                (WORK_1, "work_1"),
                (WORK_2, "work_2"),
                (FAMILY_MAIL, "family_mail"),
            ):
                out |= np.where(slot == code, BIT[kind], 0)
        for slot in (self.phone, self.mobile):
            for code, kind in ((MOBILE_1, "mobile_1"), (MOBILE_2, "mobile_2")):
                out |= np.where(slot == code, BIT[kind], 0)
        for slot, code, kind in (
            (self.phone, LAND_1, "landline_1"),
            (self.phone, LAND_2, "landline_2"),
            (self.address, HOME_1, "home_1"),
            (self.address, HOME_2, "home_2"),
            (self.company, 1, "company_1"),
            (self.company, 2, "company_2"),
        ):
            out |= np.where(slot == code, BIT[kind], 0)
        return out | np.where(self.birthday, BIT["birthday"], 0)


def record_numbers(person: Ints, copy: Ints) -> Ints:
    """A number for each record that depends on its person and copy only."""
    return person * MAX_RECORDS + copy


def source_numbers(draw: Draw, who: People, record: Ints, sources: tuple[str, ...]) -> Ints:
    """Which of `sources` each record comes from; a household often buys in one place."""
    weights = [SOURCES[name].weight for name in sources]
    together = draw.chance(record, "source/household", 0.5)
    return np.where(
        together,
        draw.pick(who.household, "source", weights),
        draw.pick(record, "source", weights),
    )


def _natural(
    draw: Draw, who: People, record: Ints, source: Ints, names: tuple[str, ...]
) -> Evidence:
    """What a record shows if nothing is done about it."""

    def tendency(field: str) -> np.ndarray:
        return np.array([getattr(SOURCES[name], field) for name in names])[source]

    def u(purpose: str) -> np.ndarray:
        return draw.uniform(record, purpose)

    day = FIRST_DAY + draw.below(record, "day", LAST_DAY - FIRST_DAY + 1)
    # a source may be behind the times
    known = day - np.where(u("stale") < 0.12, 1_500, 0)
    job = np.where(known > who.changed_job, 2, 1)
    employed = who.employer >= 0
    at_work = employed & (u("at_work") < tendency("work"))

    # some households and offices tell all their data to everybody, others next to nothing
    company = np.maximum(np.where(job == 2, who.employer_after, who.employer), 0)
    open_office = draw.chance(company, "company/open", 0.55)
    open_home = draw.chance(who.household, "household/open", 0.55)
    by_landline = draw.chance(who.household, "household/by_landline", 0.7)
    one_mailbox = np.where(job == 2, who.one_mailbox_after, who.one_mailbox)

    second = (who.mailboxes == 2) & (u("second_mailbox") < 0.4)
    own = np.where(who.mailboxes == 0, NO_MAIL, np.where(second, PRIVATE_2, PRIVATE_1))
    office = np.where(job == 2, WORK_2, WORK_1)
    v = u("mail")
    not_head = (who.place > 0) & (who.role != HEAD) & (who.size > 1) & (who.role != 3)
    home_mail = np.where(
        who.family_mailbox & (v < 0.60),
        FAMILY_MAIL,
        np.where(
            not_head & (v > 0.90),
            HEADS_MAIL,
            np.where(employed & (v > 0.83) & (v <= 0.90), office, own),
        ),
    )
    shared = np.where(one_mailbox, 0.60, 0.05)
    work_mail = np.where(v < shared, job + GROUP_1 - 1, np.where(v < 0.88, office, own))
    mail = np.where(at_work, work_mail, home_mail)
    mail = np.where(u("has_mail") < tendency("email"), mail, NO_MAIL)

    w = u("phone")
    mobile = np.where(known > who.changed_mobile, MOBILE_2, MOBILE_1) * who.has_mobile
    land = np.where(known > who.moved, LAND_2, LAND_1) * who.has_landline
    work_phone = np.where(
        w < np.where(open_office, 0.80, 0.35),
        SWITCH_1 + job - 1,
        np.where(w < 0.88, DIRECT_1 + job - 1, mobile),
    )
    home_phone = np.where(
        (land > 0) & (w < np.where(by_landline, 0.85, 0.20)),
        land,
        np.where(mobile > 0, mobile, land),
    )
    phone = np.where(at_work, work_phone, home_phone)
    willing = np.where(at_work, open_office, open_home)
    phone_share = tendency("phone") * np.where(willing, 1.4, 0.6)
    phone = np.where(u("has_phone") < phone_share, phone, NO_PHONE)

    home = np.where(known > who.moved, HOME_2, HOME_1)
    x = u("address")
    address = np.where(at_work & (x < 0.85), OFFICE_1 + job - 1, home)
    address_share = tendency("address") * np.where(willing, 1.55, 0.45)
    address = np.where(u("has_address") < address_share, address, NO_ADDRESS)

    shows_company = np.where(at_work, u("company") < 0.94, employed & (u("company") < 0.07))
    other = np.select(
        [u("other_mail") > 0.08, v < 0.35, v < 0.7],
        [NO_MAIL, PRIVATE_1 * (who.mailboxes > 0), np.where(employed, office, NO_MAIL)],
        PRIVATE_2 * (who.mailboxes == 2),
    )
    return Evidence(
        day=day,
        mail=mail,
        other_mail=np.where(other == mail, NO_MAIL, other),
        phone=phone,
        mobile=np.where((u("mobile") < tendency("mobile")) & (phone != mobile), mobile, NO_PHONE),
        address=address,
        company=np.where(shows_company, job, 0),
        birthday=who.birthday_known & (u("birthday") < tendency("birthday")),
        at_work=at_work,
        certain=np.ones(len(record), dtype=bool),
    )


def _show(evidence: Evidence, kind: Ints, rows: Ints) -> None:
    """Make some records show a kind of evidence (a number into KINDS)."""
    for number, code in enumerate((PRIVATE_1, PRIVATE_2, WORK_1, WORK_2)):
        here = rows[kind == number]
        taken = np.isin(evidence.mail[here], (PRIVATE_1, PRIVATE_2, WORK_1, WORK_2))
        evidence.other_mail[here[taken]] = code
        evidence.mail[here[~taken]] = code
    for number, code in ((4, MOBILE_1), (5, MOBILE_2)):
        here = rows[kind == number]
        free = evidence.phone[here] == NO_PHONE
        evidence.phone[here[free]] = code
        evidence.mobile[here[~free]] = code
    evidence.birthday[rows[kind == 6]] = True
    evidence.address[rows[kind == 7]] = HOME_1
    evidence.address[rows[kind == 8]] = HOME_2
    evidence.company[rows[kind == 9]] = 1
    evidence.company[rows[kind == 10]] = 2
    evidence.phone[rows[kind == 11]] = LAND_1
    evidence.phone[rows[kind == 12]] = LAND_2
    evidence.mail[rows[kind == 13]] = FAMILY_MAIL


def evidence(
    draw: Draw,
    who: People,
    copy: Ints,
    sources: tuple[str, ...],
) -> tuple[Evidence, Ints]:
    """The evidence of each record, and the number of its source in `sources`.

    `who` has one row per record. The earlier records of each person are worked out as well, as far
    as `copy` says that there are any, and thrown away.
    """
    record = record_numbers(who.person, copy)
    result: Evidence | None = None
    seen = np.zeros((len(copy), MAX_RECORDS), dtype=np.int64)
    # people whose name tells little must be tied by something of their own
    personal_only = (who.namesake > 0) | (who.renamed < NEVER)
    for turn in range(int(copy.max(initial=0)) + 1):
        rows = np.flatnonzero(copy >= turn)
        subset = _rows(who, rows)
        number = record_numbers(subset.person, np.full(len(rows), turn))
        found = _natural(
            draw, subset, number, source_numbers(draw, subset, number, sources), sources
        )
        if turn == 0:
            # the first record mostly shows something of the person's own
            nothing = np.flatnonzero((found.bits() & PERSONAL) == 0)
            kind = np.where(
                subset.mailboxes[nothing] > 0,
                0,
                np.where(subset.has_mobile[nothing], 4, 6),
            )
            some = draw.chance(number[nothing], "first/telling", 0.75)
            some |= personal_only[nothing] | (found.bits()[nothing] == 0)
            _show(found, kind[some], nothing[some])
            found.certain = (found.bits() & PERSONAL) != 0
        else:
            earlier = seen[rows, draw.below(number, "anchor", turn)]
            wanted = np.where(personal_only[rows], PERSONAL, sum(BIT.values()))
            apart = (found.bits() & earlier & wanted) == 0
            apart &= ~draw.chance(number, "unreachable", UNREACHABLE)
            apart &= (earlier & wanted) != 0
            here = np.flatnonzero(apart)
            score = np.stack(
                [
                    draw.uniform(number[here], f"link/{kind}") ** (1 / LIKELY[index])
                    * ((earlier[here] & wanted[here] & BIT[kind]) != 0)
                    for index, kind in enumerate(KINDS)
                ],
            )
            _show(found, score.argmax(axis=0), here)
            found.certain = (found.bits() & earlier & PERSONAL) != 0
        seen[rows, turn] = found.bits()
        if result is None:
            result = found
        else:
            now = np.flatnonzero(copy[rows] == turn)
            result.put(rows[now], found.take(now))
    if result is None:
        raise ValueError("there are no records")
    return result, source_numbers(draw, who, record, sources)


def _rows(who: People, rows: Ints) -> People:
    return type(who)(**{name: values[rows] for name, values in vars(who).items()})
