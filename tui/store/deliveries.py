"""Which notice went out by which channel: each fact once, with any number of processes, also when one is killed."""

from tui.store.database import Table

LEASE = 30.0
"""Seconds after which a claim of a process that never finished is free again."""

_KEPT = 7 * 86_400.0


class Deliveries(Table):
    """Claims on facts; every method is one short transaction."""

    def claim(self, fact: str, at: float, channel: str, now: float, tolerance: float) -> float | None:
        """Claim the notice of a fact of a moment; two processes may see it some seconds apart, the tolerance.

        Returns:
            0 if it is ours to send now; None if it was sent; else the moment to ask again, since another process
            sends it and may die.
        """
        with self._database.writing() as connection:
            connection.execute("DELETE FROM deliveries WHERE claimed_until < ?", (now - _KEPT,))
            row = connection.execute(
                "SELECT rowid, told, claimed_until FROM deliveries"
                " WHERE fact = ? AND channel = ? AND abs(at - ?) <= ? LIMIT 1",
                (fact, channel, at, tolerance),
            ).fetchone()
            if row is None:
                connection.execute(
                    "INSERT INTO deliveries (fact, channel, at, claimed_until) VALUES (?, ?, ?, ?)",
                    (fact, channel, at, now + LEASE),
                )
                return 0.0
            if row[1]:
                return None
            if row[2] > now:
                return float(row[2])
            connection.execute("UPDATE deliveries SET claimed_until = ? WHERE rowid = ?", (now + LEASE, row[0]))
            return 0.0

    def settle(self, fact: str, at: float, channel: str, tolerance: float) -> None:
        """Mark a fact as sent, or as given up."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE deliveries SET told = 1 WHERE fact = ? AND channel = ? AND abs(at - ?) <= ?",
                (fact, channel, at, tolerance),
            )
