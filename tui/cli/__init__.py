"""The command line: one module a command, which imports the rest of the program only when it runs."""


def main() -> int:
    """Run one command and return its exit code."""
    raise NotImplementedError
