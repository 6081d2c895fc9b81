"""The Secret Service of a Linux desktop (GNOME Keyring, KWallet, KeePassXC) over D-Bus; blocking, for a thread.

The library keyring does the same with 20 MB of libraries, most of them to encrypt what goes over D-Bus. Between two
programs of one user that is not needed: the service offers the session `plain`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from jeepney import DBusAddress, MatchRule, MessageType, message_bus, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection

_BUS: Final = "org.freedesktop.secrets"
_ROOT: Final = "/org/freedesktop/secrets"
_DEFAULT: Final = "/org/freedesktop/secrets/aliases/default"
_NOTHING: Final = "/"
"""The path that stands for no object."""


class SecretServiceError(Exception):
    """The service refused, or a person dismissed its question."""


def is_there() -> bool:
    """Whether a Secret Service runs, or can be started by D-Bus."""
    try:
        with _session():
            return True
    except (OSError, KeyError, ValueError, SecretServiceError):
        return False


def get_password(service: str, username: str) -> str | None:
    """The secret of an entry; None where there is none.

    Raises:
        OSError: There is no D-Bus.
        SecretServiceError: There is no Secret Service, it refused, or stays locked.
    """
    with _session() as session:
        items = session.find(service, username)
        if not items:
            return None
        ((_, _, secret, _),) = session.call(items[0], "Item", "GetSecret", "o", (session.path,))
        return bytes(secret).decode(errors="replace")


def set_password(service: str, username: str, password: str) -> None:
    """Store an entry, in the place of one of the same names; raises as `get_password`."""
    with _session() as session:
        session.unlock([_DEFAULT])
        properties = {
            "org.freedesktop.Secret.Item.Label": ("s", f"{service}: {username}"),
            "org.freedesktop.Secret.Item.Attributes": ("a{ss}", {"service": service, "username": username}),
        }
        secret = (session.path, b"", password.encode(), "text/plain")
        item, prompt = session.call(_DEFAULT, "Collection", "CreateItem", "a{sv}(oayays)b", (properties, secret, True))
        if item == _NOTHING:
            session.ask(prompt)


def delete_password(service: str, username: str) -> None:
    """Remove an entry; raises as `get_password`."""
    with _session() as session:
        for item in session.find(service, username):
            (prompt,) = session.call(item, "Item", "Delete")
            if prompt != _NOTHING:
                session.ask(prompt)


class _Session:
    """One conversation with the service."""

    def __init__(self, connection: DBusConnection) -> None:
        self._connection = connection
        _, self.path = self.call(_ROOT, "Service", "OpenSession", "sv", ("plain", ("s", "")))

    def call(self, path: str, interface: str, method: str, signature: str = "", body: tuple[Any, ...] = ()) -> Any:
        address = DBusAddress(path, _BUS, f"org.freedesktop.Secret.{interface}")
        reply = self._connection.send_and_get_reply(new_method_call(address, method, signature or None, body))
        if reply.header.message_type is MessageType.error:
            raise SecretServiceError(f"{method} failed")
        return reply.body

    def find(self, service: str, username: str) -> list[str]:
        """The entries of these names, unlocked."""
        attributes = {"service": service, "username": username}
        unlocked, locked = self.call(_ROOT, "Service", "SearchItems", "a{ss}", (attributes,))
        self.unlock(locked)
        return [*unlocked, *locked]

    def unlock(self, paths: list[str]) -> None:
        """Unlock what is locked; a person may be asked for a password."""
        if paths:
            _, prompt = self.call(_ROOT, "Service", "Unlock", "ao", (paths,))
            if prompt != _NOTHING:
                self.ask(prompt)

    def ask(self, prompt: str) -> None:
        """Let the service ask the person, and wait for the answer."""
        rule = MatchRule(type="signal", interface="org.freedesktop.Secret.Prompt", member="Completed", path=prompt)
        self._connection.send_and_get_reply(message_bus.AddMatch(rule))
        with self._connection.filter(rule) as answers:
            self.call(prompt, "Prompt", "Prompt", "s", ("",))
            dismissed, _ = self._connection.recv_until_filtered(answers).body
        if dismissed:
            raise SecretServiceError("the question was dismissed")


@contextmanager
def _session() -> Iterator[_Session]:
    with open_dbus_connection(bus="SESSION") as connection:
        yield _Session(connection)
