"""Randomness that is the same on every machine and in every process."""

import random
import unicodedata
from datetime import date, timedelta

SEED = "binh-thuan/2025"

#: Everything is told as of the province's last day under its own name.
REFERENCE_DAY = date(2025, 6, 30)


def stream(*key: str | int) -> random.Random:
    """Return the stream of random numbers that belongs to `key`, independent of all the others."""
    return random.Random("/".join([SEED, *map(str, key)]))  # noqa: S311 - demo data, nothing is secret


def day_between(rng: random.Random, first: date, last: date) -> date:
    """Return a day from `first` up to and including `last` (`first` when the range is empty)."""
    return first + timedelta(days=rng.randint(0, max(0, (last - first).days)))


def fold(text: str) -> str:
    """Return `text` without marks and in small letters, so that "phan thiet" finds "Phan Thiết"."""
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()
