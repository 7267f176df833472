"""What an agreement allows, as a lawyer would read it; and how much a database was asked."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import event

MARKS = ["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"]


def permitted(text, q, signed, ended):
    """The oracle: it reads the plain JSON, and shares no code with what is tested."""
    held = {p["agency"]: p for p in text["parties"]}
    giver, reader = held.get(q.giver), held.get(q.agency)
    if not signed or ended or giver is None or reader is None or giver is reader:
        return False
    if not giver["gives"] or not reader["receives"]:
        return False
    if not datetime.fromisoformat(text["starts"]) <= q.at < datetime.fromisoformat(text["ends"]):
        return False
    if q.class_ not in text["classes"] or q.purpose not in text["purposes"]:
        return False
    if MARKS.index(q.mark) > MARKS.index(text["highest"]) or q.mark == "TLP:RED":
        return False
    if any(code not in text["handling"] for code in q.handling):
        return False
    if "grade" in text and not q.class_.startswith(("match.", "standing.", "deconfliction")):
        worst = str(q.grade) if q.grade else "~~"
        if worst[0] > text["grade"][0] or worst[1] > text["grade"][1]:
            return False
    if reader["kind"] in list(q.caveats):
        return False
    if not any(role in text["roles"] for role in q.roles if role != "administrator"):
        return False
    if not q.originator or (
        q.originator != q.giver and (text["third_party"] == "never" or not q.permitted)
    ):
        return False
    if q.doing == "pass_on" and (text["onward"] == "never" or not q.permitted):
        return False
    if q.doing == "use_in_court" and "H1" in q.handling and not q.permitted:
        return False
    return q.days < text["retention_days"]


@contextmanager
def statements(kernel):
    """A list of what the database was asked meanwhile, each without its values.

    What an answer cost in questions can be told by a clock; the same questions cannot.
    """
    asked = []

    def heard(_connection, _cursor, statement, _values, _context, _many):
        asked.append(statement)

    event.listen(kernel.rows.engine, "before_cursor_execute", heard)
    try:
        yield asked
    finally:
        event.remove(kernel.rows.engine, "before_cursor_execute", heard)
