"""What the user configured.

Settings come from the environment, then a `.env` in the current folder, then `settings.toml` in the platform's user
configuration folder; the names are the same in all three.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aigen.content import ContentFolder, write_whole
from aigen.errors import UsageError

NAMES = {
    "AIGEN_CONTENT", "AIGEN_MODEL", "AIGEN_BASE_URL", "AIGEN_MAX_ORDERS", "AIGEN_MAX_ITEMS", "AIGEN_MAX_COST",
    "AIGEN_MAX_MINUTES", "AIGEN_MAX_DISK", "AIGEN_HUGGINGFACE_URL",
    "AIGEN_MONTHLY_COST", "AIGEN_USER_MONTHLY_COST", "AIGEN_WEB_PAID", "AIGEN_REGISTRATION", "AIGEN_HOSTED_PARALLEL",
    "AIGEN_HOSTED_POLL", "AIGEN_HOSTED_DEADLINE", "AIGEN_TRUSTED_PROXY", "AIGEN_SMTP_HOST", "AIGEN_SMTP_PORT",
    "AIGEN_SMTP_SECURITY", "AIGEN_SMTP_USER", "AIGEN_SMTP_PASSWORD", "AIGEN_SMTP_FROM", "AIGEN_SMTP_CA_FILE",
    "AIGEN_DEBUG",
}  # fmt: skip
DEFAULT_CONTENT = "generated_content"
# Who may register in the web gallery: everybody, people with an invitation, nobody.
REGISTRATION = ("open", "invite", "closed")
# What the names of secret settings end with, and how long a secret is at least, to be told from ordinary words.
_SECRET_ENDINGS, _SECRET_LENGTH = ("KEY", "SECRET", "TOKEN", "PASSWORD"), 6


@dataclass(frozen=True)
class Settings:
    """`values` holds every setting by its name, such as `AIGEN_MODEL`.

    `prices` holds the user's own prices of hosted models, in USD by the name of the model, from the table `prices` of
    `settings.toml`. `found_in` says where each value comes from, where that is known.
    """

    values: Mapping[str, str]
    prices: Mapping[str, float] = field(default_factory=dict)
    found_in: Mapping[str, str] = field(default_factory=dict)

    def content(self, chosen: Path | None) -> ContentFolder:
        root = chosen or Path(self.values.get("AIGEN_CONTENT") or DEFAULT_CONTENT)
        root = root.expanduser().absolute()
        if root.exists() and not root.is_dir():
            raise UsageError(f"the content folder {str(root)!r} is a file: give a folder")
        return ContentFolder(root)

    @property
    def model(self) -> str | None:
        """The model the user chose as the default, if any."""
        return self.values.get("AIGEN_MODEL") or None

    def number(self, name: str, otherwise: int) -> int:
        """A setting that is a whole number above 0. Raises UsageError."""
        text = self.values.get(name) or str(otherwise)
        if not text.isascii() or not text.isdigit() or int(text[:9]) == 0:
            raise UsageError(f"{name} {text[:80]!r} is not usable: give a whole number above 0")
        return int(text[:9])

    def choice(self, name: str, *choices: str) -> str:
        """Return a setting that is one of several words; the first if it is not set. Raises UsageError."""
        text = self.values.get(name) or choices[0]
        if text not in choices:
            raise UsageError(f"{name} {text[:80]!r} is not usable: choose from {', '.join(choices)}")
        return text

    def amount(self, name: str) -> float | None:
        """Return a setting that is an amount in USD; None if it is not set. Raises UsageError."""
        return self._positive(name, "an amount in USD, such as 2.50")

    def seconds(self, name: str, otherwise: float) -> float:
        """Return a setting that is a number of seconds. Raises UsageError."""
        found = self._positive(name, "a number of seconds, such as 5")
        return otherwise if found is None else found

    def _positive(self, name: str, wanted: str) -> float | None:
        text = self.values.get(name)
        if not text:
            return None
        try:
            number = float(text)
        except ValueError:
            number = -1.0
        if not 0 <= number < math.inf:
            raise UsageError(f"{name} {text[:80]!r} is not usable: give {wanted}")
        return number

    def check_one_source(self, *names: str) -> None:
        """Raise UsageError if settings of one connection come from several sources.

        A `.env` in a folder of somebody else could otherwise send the user's own password to another server.
        """
        places = {name: self.found_in.get(name) for name in names if self.values.get(name)}
        if len(set(places.values())) > 1:
            told = ", ".join(f"{name} in {place}" for name, place in places.items())
            raise UsageError(f"settings of one connection come from several sources ({told}): put them in one")

    def is_secret(self, name: str) -> bool:
        """Return whether a setting has a secret as its value."""
        return name.upper().endswith(_SECRET_ENDINGS) and len(self.values.get(name, "").strip()) >= _SECRET_LENGTH

    def redact(self, text: str) -> str:
        """Return a text without the secrets among the settings."""
        secrets = {value.strip() for name, value in self.values.items() if self.is_secret(name)}
        for secret in sorted(secrets, key=len, reverse=True):
            text = text.replace(secret, "…")
        return text

    def read_base_url(self) -> str | None:
        """Where the web gallery is reached from outside, if the user said so. Raises UsageError."""
        url = (self.values.get("AIGEN_BASE_URL") or "").rstrip("/")
        if url and not _is_web_address(url):
            raise UsageError(
                f"AIGEN_BASE_URL {url[:80]!r} is not usable: give a URL without a path, such as https://example.org"
            )
        scheme, _, rest = url.partition("://")
        return f"{scheme.lower()}://{rest}" if url else None


NO_SETTINGS = Settings({})


def _is_web_address(url: str) -> bool:
    try:
        found = urlsplit(url)
        _ = found.port  # which is looked at only when it is asked for
    except ValueError:
        return False
    wrong = found.query or found.fragment or found.username or not url.isprintable() or " " in url
    return found.scheme in ("http", "https") and bool(found.hostname) and found.path in ("", "/") and not wrong


def settings_file() -> Path:
    """Where the user's own settings are kept."""
    from platformdirs import user_config_path

    return user_config_path("aigen") / "settings.toml"


def write_setting(file: Path, name: str, value: str) -> None:
    """Set one of the user's own settings; what else stands in the file stays as it is. Raises UsageError."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(file.read_text(encoding="utf-8")) if file.exists() else tomlkit.document()
        document[name] = value
        file = file.resolve()  # which may be kept elsewhere, behind a link
        with write_whole(file) as unfinished:
            unfinished.touch(mode=0o600)  # passwords stand in it
            unfinished.write_text(tomlkit.dumps(document), encoding="utf-8")
    except (OSError, ValueError, TOMLKitError) as error:
        raise UsageError(f"the settings file {str(file)!r} cannot be written: {error}") from error


def read_settings(environment: Mapping[str, str], folder: Path, file: Path) -> Settings:
    """Read the settings of a process started in `folder`; what stands first wins: environment, `.env`, `file`."""
    kept = _read_toml(file)
    prices = _read_prices(file, kept.pop("prices", {}))
    values = {name: str(value) for name, value in kept.items()}
    near = _read_dotenv(folder / ".env")
    found_in = {
        name: place
        for found, place in ((values, str(file)), (near, str(folder / ".env")), (environment, "the environment"))
        for name in found
    }
    return Settings({**values, **near, **environment}, prices, found_in)


def _read_dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value is not None}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{str(path)!r} cannot be read: {error}") from error


def _read_prices(path: Path, table: Any) -> dict[str, float]:
    """Return the user's own prices."""
    for name, price in table.items() if isinstance(table, dict) else [("prices", table)]:
        if isinstance(price, bool) or not isinstance(price, int | float) or not 0 <= price < math.inf:
            raise UsageError(
                f"the settings file {str(path)!r} has {price!r} as the price of {name!r}: give USD for an image or "
                'a second of video, such as "runway:gen4.5" = 0.12 below [prices]'
            )
    return {name: float(price) for name, price in table.items()}


def _read_toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"the settings file {str(path)!r} cannot be read: {error}") from error
