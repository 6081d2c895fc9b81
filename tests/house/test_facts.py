"""References to outside facts lead somewhere."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "tui" / "wire" / "README.md"
SECTION = re.compile(r'(?:wire/)?README\.md((?:,? (?:and )?"[A-Z][^"\n]*")+)')


def test_every_section_that_is_referred_to_exists_and_every_fact_says_how_sure_it_is() -> None:
    text = README.read_text("utf-8")
    sections = set(re.findall(r"^## (.+)$", text, re.MULTILINE))
    referred: set[str] = set()
    for folder in ("tui", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            source = path.read_text("utf-8")
            assert not re.search(r"\b(wire|design|style)\.md\b", source) or path == Path(__file__), path
            for found in SECTION.findall(source):
                referred |= set(re.findall(r'"([^"]+)"', found))
    assert referred
    assert referred <= sections, referred - sections
    for fact in re.findall(r"^- (?:.+\n(?:  .+\n)*)", text, re.MULTILINE):
        known = re.search(r"\((?:seen|source|reported|claimed)\b[^)]*\)|\*\*(?:seen|source|reported|claimed)\*\*", fact)
        assert known or "our own stub" in fact, fact
