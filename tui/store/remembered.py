"""Small things that a screen remembers from one start to the next: when somebody looked last, and the theme."""

from tui.store.database import Table


class Remembered(Table):
    """One text under each name."""

    def get(self, name: str) -> str | None:
        """What is remembered under a name."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT value FROM remembered WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else None

    def set(self, name: str, value: str) -> None:
        """Remember this under a name from now on."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO remembered VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, value),
            )
