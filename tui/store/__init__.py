"""What resetbank remembers, in one SQLite file: the ledger, the journal of spends, and the last readings."""
