"""Two simulated days, minute by minute, against a small model of the service: how often is a person really asked?"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, timezone
from functools import cache
from itertools import cycle

import pytest

from tests.domain.asking import FIVE_HOUR_KEY, MINUTE, RUNNING, STOPPED, WEEK_KEY, session, thread
from tests.domain.worlds import credit, snapshot, window
from tests.support.clocks import START
from tui.domain.advice import Advice, Verdict
from tui.domain.ask_memory import AskMemory, answered, asked, observed
from tui.domain.foresight import Foresight
from tui.domain.interruption import Situation, decide, still_stands
from tui.domain.outlook import Outlook
from tui.domain.question import LATER, AskRules, Cause, Choice, NoQuestion, NoQuestionReason, Question
from tui.domain.queue import Queued, arm, dies, fire, followed, should_fire
from tui.domain.reading import reading_of
from tui.domain.resumes import ResumeLog
from tui.domain.resuming import claimed, due, ended, seen
from tui.domain.sessions import Session, SessionState
from tui.domain.snapshot import Snapshot
from tui.domain.waiting import Waiting, follow, wait
from tui.domain.windows import WindowKey

ZONE = timezone(timedelta(hours=9))
MIDNIGHT = datetime.combine(START.astimezone(ZONE).date(), time(), ZONE)
RULES = AskRules(zone=ZONE)
DAYS = 2


@dataclass
class Service:
    """Two windows, pinned by the first use after a reset; the week's slower by a factor."""

    credits: int
    used: dict[WindowKey, float] = field(default_factory=lambda: {FIVE_HOUR_KEY: 0.0, WEEK_KEY: 20.0})
    ends: dict[WindowKey, datetime | None] = field(
        default_factory=lambda: {FIVE_HOUR_KEY: None, WEEK_KEY: MIDNIGHT + timedelta(days=4)}
    )
    generation: Counter[WindowKey] = field(default_factory=Counter)

    @property
    def is_reached(self) -> bool:
        return max(self.used.values()) >= 100

    def tick(self, now: datetime) -> None:
        for key, end in self.ends.items():
            if end is not None and now >= end:
                self._restart(key)

    def use(self, percent: float, now: datetime) -> None:
        for key, share in ((FIVE_HOUR_KEY, percent), (WEEK_KEY, percent / 25)):
            self.used[key] = min(100.0, self.used[key] + share)
            self.ends[key] = self.ends[key] or now + timedelta(minutes=key[1] or 0)

    def spend(self) -> None:
        assert self.credits
        self.credits -= 1
        for key in self.used:
            self._restart(key)

    def _restart(self, key: WindowKey) -> None:
        self.used[key], self.ends[key] = 0.0, None
        self.generation[key] += 1

    def read(self, now: datetime) -> Snapshot:
        windows = []
        for key, used in self.used.items():
            minutes = key[1] or 0
            end = self.ends[key] or now + timedelta(minutes=minutes)
            windows.append(window(minutes, float(round(used)), resets_in=end - now, at=now))
        rows = tuple(credit(f"c{number}", 20) for number in range(self.credits))
        return snapshot(*windows, rows=rows, allowed=not self.is_reached, at=now)


@dataclass
class Person:
    """Works in some sessions with breaks, and answers questions after a while."""

    sessions: int
    percent_a_minute: float
    """Of the five hours, for each session at work."""
    hours: tuple[int, int]
    answers: Iterator[Choice | None] = field(default_factory=lambda: cycle([None]))
    answers_after: timedelta = 2 * MINUTE

    def wants_to_work(self, number: int, now: datetime) -> bool:
        local = now.astimezone(ZONE)
        return self.hours[0] <= local.hour < self.hours[1] and (local.minute + 7 * number) % 35 < 28


@dataclass
class Diary:
    """What happened."""

    questions: list[tuple[Question, tuple[WindowKey, int]]] = field(default_factory=list)
    answers: list[tuple[tuple[WindowKey, int], Cause, Choice]] = field(default_factory=list)
    muted: set[tuple[WindowKey, int]] = field(default_factory=set)
    silences: Counter[NoQuestionReason] = field(default_factory=Counter)
    stops: int = 0
    messages: int = 0
    announcements: int = 0
    fired: int = 0
    spent: int = 0


class Simulation:
    def __init__(self, person: Person, credits_banked: int) -> None:
        self.person = person
        self.service = Service(credits_banked)
        self.diary = Diary()
        self.memory = AskMemory()
        self.foresight = Foresight()
        self.people: dict[str, Session] = {}
        self.question: Question | None = None
        self.queued: Queued | None = None
        self.waiting: Waiting | None = None
        self.carries = ResumeLog()
        self.spent_at: datetime | None = None

    def run(self) -> Diary:
        for minute in range(DAYS * 24 * 60):
            self.minute(MIDNIGHT + minute * MINUTE)
        return self.diary

    def minute(self, now: datetime) -> None:
        self.service.tick(now)
        self.work(now)
        reading = self.service.read(now)
        assert reading.main_limit is not None
        at_work = sum(one.state is RUNNING for one in self.people.values())
        self.foresight.add(reading_of(reading, reading.main_limit, at_work))
        self.memory = observed(self.memory, reading)
        self.carries = seen(self.carries, self.people, now)
        self.look_after_the_queue(reading, now)
        self.look_after_the_wait(reading)
        situation = Situation(
            reading,
            self.people,
            self.look_ahead(now) if at_work else None,
            queued=self.queued is not None,
            waiting_for=self.waiting.window.key if self.waiting else None,
            spent_at=self.spent_at,
        )
        if self.question is not None:
            self.attend(self.question, situation, reading, now)
            return
        result = decide(situation, RULES, self.memory, now)
        if isinstance(result, NoQuestion):
            self.diary.silences[result.reason] += 1
            return
        self.ask(result, now)

    def look_ahead(self, now: datetime) -> Outlook:
        """What is expected; the advice takes time and is not needed here."""
        at = now.timestamp()
        return Outlook(at, self.foresight.forecasts(at), Advice(at, Verdict.CANNOT_TELL, None, "", ()))

    def work(self, now: datetime) -> None:
        for number in range(self.person.sessions):
            name = thread(number)
            state = SessionState.IDLE
            if self.person.wants_to_work(number, now):
                state = STOPPED if self.service.is_reached else RUNNING
                if state is RUNNING:
                    self.service.use(self.person.percent_a_minute, now)
            elif name in self.people and self.people[name].state is STOPPED:
                state = STOPPED
            known = self.people.get(name)
            since = known.since if known is not None and known.state is state else now
            if state is STOPPED and since == now:
                self.diary.stops += 1
            self.people[name] = session(number, state, since, now)

    def ask(self, question: Question, now: datetime) -> None:
        end = self.service.ends[question.key]
        assert end is not None
        assert end - now > RULES.least_waiting
        instance = (question.key, self.service.generation[question.key])
        assert instance not in self.diary.muted
        self.diary.questions.append((question, instance))
        self.memory = asked(self.memory, question, now)
        self.question = question

    def attend(self, question: Question, situation: Situation, reading: Snapshot, now: datetime) -> None:
        if not still_stands(question, situation, now):
            self.question = None
        elif now - question.asked_at >= self.person.answers_after:
            self.question = None
            choice = next(self.person.answers)
            if choice is not None and choice in question.choices:
                self.answer(question, choice, reading, now)

    def answer(self, question: Question, choice: Choice, reading: Snapshot, now: datetime) -> None:
        instance = (question.key, self.service.generation[question.key])
        self.diary.answers.append((instance, question.cause, choice))
        self.memory = answered(self.memory, question, choice, now)
        if choice is Choice.NOT_UNTIL_RESET:
            self.diary.muted.add(instance)
        elif choice is Choice.QUEUE:
            self.queued = arm(reading, question.window, question.credit, True, now)
        elif choice is Choice.WAIT:
            self.waiting = wait(question, reading, now)
        elif choice not in LATER:
            self.spend(now)
            self.whom(question, choice is Choice.SPEND_AND_CONTINUE, now)

    def spend(self, now: datetime) -> None:
        self.service.spend()
        self.spent_at = now
        self.diary.spent += 1

    def whom(self, question: Question, wanted: bool, now: datetime) -> None:
        for stop in due(question.stops, question.asked_at, self.people, wanted, self.carries):
            self.carries = ended(claimed(self.carries, stop, now), stop, None)
            self.diary.messages += 1

    def look_after_the_queue(self, reading: Snapshot, now: datetime) -> None:
        if self.queued is None:
            return
        if dies(self.queued, reading, now) is not None:
            self.queued = None
        elif should_fire(self.queued, reading, self.people, now):
            fire(self.queued, now)
            self.queued = None
            self.diary.fired += 1
            self.spend(now)
        else:
            self.queued = followed(self.queued, reading)

    def look_after_the_wait(self, reading: Snapshot) -> None:
        if self.waiting is None:
            return
        self.waiting, announcement = follow(self.waiting, reading)
        if announcement is not None:
            assert not self.service.is_reached
            self.diary.announcements += 1
            self.waiting = None


def simulate(person: Person, credits_banked: int = 8) -> Diary:
    return Simulation(person, credits_banked).run()


def heavy(*answers: Choice | None, after: int = 2) -> Person:
    return Person(6, 0.2, (7, 23), cycle(answers), after * MINUTE)


def check_quiet(diary: Diary) -> None:
    """The promises, judged by the model's own truth."""
    put_off = Counter((instance, cause) for instance, cause, choice in diary.answers if choice in LATER)
    times = Counter((instance, question.cause) for question, instance in diary.questions)
    assert all(count <= 1 + put_off[which] for which, count in times.items())
    days = Counter(question.asked_at.astimezone(ZONE).date() for question, _ in diary.questions)
    assert all(count <= RULES.daily_cap for count in days.values())


def tell(name: str, diary: Diary) -> None:
    causes = Counter(str(question.cause) for question, _ in diary.questions)
    days = Counter(question.asked_at.astimezone(ZONE).date().isoformat() for question, _ in diary.questions)
    print(
        f"\n{name}: {len(diary.questions)} questions in {DAYS} days {dict(causes)}, a day {sorted(days.values())};"
        f" {diary.stops} stops, {diary.spent} spent, {diary.fired} fired, {diary.messages} messages,"
        f" {diary.announcements} announced; quiet minutes {dict(diary.silences.most_common(6))}"
    )


POLICIES: dict[str, Callable[[], Person]] = {
    "never answers": lambda: heavy(None),
    "always spends": lambda: heavy(Choice.SPEND_AND_CONTINUE),
    "spends when late": lambda: heavy(Choice.SPEND_AND_CONTINUE, after=25),
    "always queues": lambda: heavy(Choice.QUEUE),
    "always waits": lambda: heavy(Choice.WAIT),
    "always mutes": lambda: heavy(Choice.NOT_UNTIL_RESET),
    "always later": lambda: heavy(Choice.LATER_15),
    "later, then mutes": lambda: heavy(Choice.LATER_5, Choice.NOT_UNTIL_RESET),
    "a bit of all": lambda: heavy(*Choice, None),
}


@cache
def days_of(policy: str) -> Diary:
    return simulate(POLICIES[policy]())


@pytest.mark.parametrize("policy", POLICIES)
def test_a_heavy_user_is_asked_rarely(policy: str) -> None:
    diary = days_of(policy)
    tell(policy, diary)
    assert diary.questions
    check_quiet(diary)


def test_answers_have_their_effect() -> None:
    assert days_of("always spends").spent == 8
    assert days_of("spends when late").messages > 0
    assert days_of("always queues").fired == days_of("always queues").spent > 0
    assert days_of("always waits").announcements > 0
    assert days_of("always mutes").silences[NoQuestionReason.MUTED] > 0


def test_an_empty_bank_asks_nothing() -> None:
    diary = simulate(heavy(Choice.SPEND_ONLY), credits_banked=0)
    tell("an empty bank", diary)
    assert diary.stops > 0
    assert diary.questions == []
    assert diary.silences[NoQuestionReason.BANK_EMPTY] > 0


def test_a_light_user_is_never_asked() -> None:
    diary = simulate(Person(1, 0.1, (10, 13)))
    tell("a light user", diary)
    assert diary.questions == []
    assert diary.silences[NoQuestionReason.NO_LIMIT_NEAR] > 0
