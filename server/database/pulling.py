"""Pulling: the decisions that concern a laptop, whole and in order, from where it last read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import select, union

from server.database.saving import Saving
from server.database.tables import CaseRow, DecisionCellRow, DecisionRow, RecordRow
from server.database.work import table_of
from server.ledger import Scope
from sync.pull import whole_before, whole_of
from sync.state import Case, Decision, Record, State, Whole

STEP = 256
"""Decisions fetched at a time."""

_decisions = table_of(DecisionRow)
_cells = table_of(DecisionCellRow)
_records = table_of(RecordRow)
_cases = table_of(CaseRow)
_read_decision = msgspec.msgpack.Decoder(Decision)
_read_record = msgspec.msgpack.Decoder(Record)
_read_case = msgspec.msgpack.Decoder(Case)


class Pulling(Saving):
    """What laptops are told, and what is known of a request's past."""

    def pull(
        self, scope: Scope, after: int, budget: int
    ) -> tuple[list[Decision], int, bytes, bool]:
        """Decisions touching the scope after a number, in order, about `budget` bytes of them but
        at least one; the number and chain value up to which they are complete; whether more
        remain."""
        standing = self.standing()
        found: list[Decision] = []
        cells = [scope.device, *(village.encode() for village in scope.villages)]
        while True:
            step = self._step(cells, after)
            for row in step:
                if found and budget < len(row.data):
                    head = self.head_at(found[-1].server_seq)
                    assert head is not None
                    return found, found[-1].server_seq, head, True
                found.append(_read_decision.decode(row.data))
                budget -= len(row.data)
                after = row.server_seq
            if len(step) < STEP:
                return found, standing.server_seq, standing.head, False

    def _step(self, cells: list[bytes], after: int) -> list[Any]:
        """The next decisions of any of these cells. Each cell gives its next few by its own index,
        so that a first pull of a long history does not sort all of it again for every step."""
        following = (_cells.c.city == self.city) & (_cells.c.server_seq > after)
        number = _cells.c.server_seq
        parts = [
            select(number).where(following, _cells.c.cell == cell).order_by(number).limit(STEP)
            for cell in cells
        ]
        numbers = union(*(select(part.subquery().c.server_seq) for part in parts)).subquery()
        nearest = select(numbers.c.server_seq).order_by(numbers.c.server_seq).limit(STEP)
        found = select(_decisions.c.server_seq, _decisions.c.data).where(
            _decisions.c.city == self.city, _decisions.c.server_seq.in_(nearest)
        )
        return self.rows(found.order_by(_decisions.c.server_seq))

    def head_at(self, number: int) -> bytes | None:
        """Chain value after a decision; None where there is none of that number."""
        here = (_decisions.c.city == self.city) & (_decisions.c.server_seq == number)
        head: bytes | None = self.value(select(_decisions.c.head).where(here))
        return head

    def visible(self, scope: Scope, records: Iterable[bytes]) -> set[bytes]:
        """Those of these records that are in the scope."""
        columns = (_records.c.id, _records.c.device, _records.c.village)
        here = select(*columns).where(_records.c.city == self.city)
        rows = self.each(here, _records.c.id, sorted(records))
        inside = (r for r in rows if r.device == scope.device or r.village in scope.villages)
        return {row.id for row in inside}

    def whole_before(self, record: bytes, number: int) -> Whole | None:
        """A request as it stood before decision `number`, with all of its open cases."""
        here = (_cells.c.city == self.city) & (_cells.c.cell == record)
        numbers = select(_cells.c.server_seq).where(here, _cells.c.server_seq < number)
        found = select(_decisions.c.data).where(
            _decisions.c.city == self.city, _decisions.c.server_seq.in_(numbers)
        )
        rows = self.rows(found.order_by(_decisions.c.server_seq))
        return whole_before(record, [_read_decision.decode(row.data) for row in rows])

    def fill(
        self, village: str, mark: int, budget: int, device: bytes = b""
    ) -> tuple[list[Whole], int, bool]:
        """Requests of a village as they stand, those created by decisions after `mark`, in that
        order, about `budget` bytes but at least one decision's; the new mark; whether these are
        the last. device: those it took in instead, wherever they are."""
        inside = _records.c.device == device if device else _records.c.village == village
        here = (_records.c.city == self.city) & inside
        order = (_records.c.created, _records.c.id)
        columns = (_records.c.created, _records.c.data, _records.c.village)
        found = select(*columns).where(here, _records.c.created > mark)
        rows = self.rows(found.order_by(*order).limit(STEP))
        done = len(rows) < STEP
        if not done:  # what the last decision created may go on behind the limit
            rows = [row for row in rows if row.created != rows[-1].created]
        taken: list[tuple[Record, str]] = []
        for row in rows:
            if row.created != mark and taken and budget < len(row.data):
                done = False
                break
            taken.append((_read_record.decode(row.data), row.village))
            budget -= len(row.data)
            mark = row.created
        state = State(cases=self._cases_of([record for record, _ in taken]))
        return [whole_of(state, record, cell) for record, cell in taken], mark, done

    def _cases_of(self, records: list[Record]) -> dict[bytes, Case]:
        """Their open cases."""
        names = {name for r in records for name in (*r.disputes.values(), *r.cases)}
        here = select(_cases.c.data).where(_cases.c.city == self.city)
        cases = (_read_case.decode(row.data) for row in self.each(here, _cases.c.id, sorted(names)))
        return {case.id: case for case in cases}
