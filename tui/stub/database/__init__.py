"""What the service knows, in SQLite: accounts, windows, credits, grants, redemptions, invites and the clock."""
