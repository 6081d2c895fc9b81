"""What resetbank remembers, in one SQLite file: ledger, journal of spends, what is in hand, last readings, invites."""
